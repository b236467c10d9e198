/** The single writer: mailbox, decide, records, append, apply, dispatch. */
@NullMarked
package io.spillway.broker.shard;

import org.jspecify.annotations.NullMarked;
