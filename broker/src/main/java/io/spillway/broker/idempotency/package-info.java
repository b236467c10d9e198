/** What was published before: producer sequences and idempotency keys. Pure. */
@NullMarked
package io.spillway.broker.idempotency;

import org.jspecify.annotations.NullMarked;
