/** Topics as the records of shard 0 describe them: an immutable picture that every thread may read. */
@NullMarked
package io.spillway.broker.catalog;

import org.jspecify.annotations.NullMarked;
