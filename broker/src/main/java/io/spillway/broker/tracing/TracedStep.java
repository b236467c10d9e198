package io.spillway.broker.tracing;

/**
 * A step of a traced record, from which a span is made.
 *
 * @param partition by its number in the topic
 * @param offset -1 when it has none
 * @param startNs by the monotonic clock
 * @param endNs by the monotonic clock
 */
public record TracedStep(
        TracedRecord record, String topic, int partition, long offset, long startNs, long endNs, Step step) {}
