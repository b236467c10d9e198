package io.spillway.broker.shard;

import io.spillway.broker.catalog.TopicConfig;
import io.spillway.broker.tracing.Traces;
import org.jspecify.annotations.Nullable;

/**
 * Settings of a shard.
 *
 * @param flushIntervalMs longest time data of MAPPED topics stays unsynced, in ms; 0 = left to the kernel
 * @param groupFlushIntervalMs longest time a group's acks wait to be written, in ms; 0..1,000
 * @param snapshotIntervalBytes log bytes between two snapshots of the state
 * @param retentionCheckIntervalMs how often retention is applied, in ms
 * @param defaultLeaseMs lease of a delivery when the member names none, in ms
 * @param defaultMaxUnacked records a member may hold when it names no number
 * @param defaultMaxDeliveries failures after which a record is dead-lettered in a new group that names none; 0 = never
 * @param groupWindow records of one partition a group has out or holds back at which it takes no more; bounds its memory
 * @param publishBudgetBytes what publishers may have on their way, all together
 * @param controls whether publishes and deliveries have fair turns, and what waits too long is slowed down
 * @param defaultTopic settings of a topic that names none
 * @param traces where what becomes of traced records is told; null = nowhere
 */
public record ShardConfig(
        long flushIntervalMs,
        long groupFlushIntervalMs,
        long snapshotIntervalBytes,
        long retentionCheckIntervalMs,
        int defaultLeaseMs,
        int defaultMaxUnacked,
        int defaultMaxDeliveries,
        int groupWindow,
        long publishBudgetBytes,
        boolean controls,
        TopicConfig defaultTopic,
        @Nullable Traces traces) {
    public static final ShardConfig DEFAULT = new ShardConfig(
            1_000, 5, 64L << 20, 5_000, 30_000, 10_000, 0, 1 << 20, 256L << 20, true, TopicConfig.DEFAULT);

    /** Without tracing. */
    public ShardConfig(
            long flushIntervalMs,
            long groupFlushIntervalMs,
            long snapshotIntervalBytes,
            long retentionCheckIntervalMs,
            int defaultLeaseMs,
            int defaultMaxUnacked,
            int defaultMaxDeliveries,
            int groupWindow,
            long publishBudgetBytes,
            boolean controls,
            TopicConfig defaultTopic) {
        this(
                flushIntervalMs,
                groupFlushIntervalMs,
                snapshotIntervalBytes,
                retentionCheckIntervalMs,
                defaultLeaseMs,
                defaultMaxUnacked,
                defaultMaxDeliveries,
                groupWindow,
                publishBudgetBytes,
                controls,
                defaultTopic,
                null);
    }

    /** The same with tracing. */
    public ShardConfig tracing(@Nullable Traces to) {
        return new ShardConfig(
                flushIntervalMs,
                groupFlushIntervalMs,
                snapshotIntervalBytes,
                retentionCheckIntervalMs,
                defaultLeaseMs,
                defaultMaxUnacked,
                defaultMaxDeliveries,
                groupWindow,
                publishBudgetBytes,
                controls,
                defaultTopic,
                to);
    }
}
