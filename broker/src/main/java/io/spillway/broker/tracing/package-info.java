/**
 * Spans of what the broker does with records whose publishers trace them, on their way to a collector. The shards say what
 * happened; spans are made and sent on a thread of their own.
 */
@NullMarked
package io.spillway.broker.tracing;

import org.jspecify.annotations.NullMarked;
