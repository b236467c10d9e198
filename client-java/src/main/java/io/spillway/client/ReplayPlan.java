package io.spillway.client;

import java.time.Duration;
import java.util.List;

/**
 * Exact records of a topic, found and counted; nothing is changed by it.
 *
 * @param bytes of the records
 * @param firstMs when the oldest was appended, ms since 1970; 0 without records
 * @param lastMs when the newest was appended, ms since 1970; 0 without records
 * @param keys different keys among them
 * @param keysExact false when {@code keys} is an estimate
 * @param duplicates records whose idempotency key another selected record has, too
 * @param scanned records looked at
 * @param toScan records there are to look at
 * @param failure why the plan failed and what to do, or empty
 */
public record ReplayPlan(
        String id,
        ReplaySelection selection,
        State state,
        long records,
        long bytes,
        long firstMs,
        long lastMs,
        long keys,
        boolean keysExact,
        long duplicates,
        long scanned,
        long toScan,
        long createdMs,
        String failure,
        List<Range> partitions) {

    /** Where a plan is in its life. */
    public enum State {
        /** The broker is still looking for the records. */
        SCANNING,
        /** It can be started. */
        READY,
        /** It could not be made. */
        FAILED
    }

    /**
     * Records of one partition.
     *
     * @param from the first offset
     * @param to the offset after the last
     * @param records how many of them are meant
     */
    public record Range(int partition, long from, long to, long records) {}

    public String topic() {
        return selection.topic();
    }

    /** How long a replay takes at this rate. */
    public Duration durationAt(int recordsPerSecond) {
        return Duration.ofMillis((long)
                Math.ceil(records * 1000.0 / Arguments.between("the rate", recordsPerSecond, 1, Integer.MAX_VALUE)));
    }
}
