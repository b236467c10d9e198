package io.spillway.broker.shard;

/**
 * What the slowest group of a topic has not settled, as it was measured last, and what was appended since: never less than
 * it is. Confined to the shard thread.
 */
final class TopicBacklog {
    static final long NEVER = Long.MIN_VALUE;

    long bytes;
    long records;
    /** Append time of the oldest record; {@link Long#MAX_VALUE} without any. */
    long oldestMs = Long.MAX_VALUE;

    /** The group the measurement speaks of; empty when it is what is stored. */
    String group = "";

    long measuredMs = NEVER;
    /** Records that would have to go are held by a replay. */
    boolean isHeld;
    /** Records dropped since the broker started. */
    long dropped;

    long nextLogMs;

    void appended(int batchBytes, int batchRecords, long nowMs) {
        bytes += batchBytes;
        records += batchRecords;
        oldestMs = Math.min(oldestMs, nowMs);
    }
}
