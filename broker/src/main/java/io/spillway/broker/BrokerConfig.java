package io.spillway.broker;

import io.spillway.broker.base.ListenAddress;
import io.spillway.broker.catalog.TopicConfig;
import io.spillway.broker.config.ConfigLoader;
import io.spillway.broker.config.EffectiveSettings;
import io.spillway.broker.config.Settings;
import io.spillway.broker.log.LogConfig;
import io.spillway.broker.session.SessionConfig;
import io.spillway.broker.shard.ShardConfig;
import io.spillway.broker.tracing.TracingConfig;
import io.spillway.protocol.v1.Durability;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/**
 * The configuration of a broker, by feature. Units, defaults and ranges stand in {@link Settings}, from which every value
 * comes.
 *
 * @param nodeId empty: the data directory's own
 * @param shards of a new data directory; 0: half the processors
 * @param ioThreads 0: the broker chooses
 * @param logFlushIntervalMs between background syncs of what was acked MAPPED
 * @param controls whether there are fair turns, credit by delay, pressure and weights by health
 * @param snapshotIntervalBytes of log between two snapshots of a shard's state
 */
public record BrokerConfig(
        Path dataDir,
        String nodeId,
        ListenAddress listen,
        ListenAddress http,
        int shards,
        int ioThreads,
        LogConfig log,
        long logFlushIntervalMs,
        long snapshotIntervalBytes,
        Topics topics,
        Session session,
        Publish publish,
        boolean controls,
        Group group,
        ClusterConfig cluster,
        SecurityConfig security,
        TracingConfig tracing,
        Rehearsing rehearsing,
        long drainTimeoutMs) {
    /** Most offsets between a group's cursor and the newest record it has out; bounds the group's memory. */
    private static final int GROUP_WINDOW = 1 << 20;

    private static final int MAX_SHARDS = 8;

    /** What topics are when nobody says, and how often retention looks at them. */
    public record Topics(
            boolean autoCreate, int defaultPartitions, String defaultDurability, long retentionCheckIntervalMs) {}

    /** Connections. */
    public record Session(long heartbeatMs, int maxFrameBytes) {}

    /** Credit of a publisher. */
    public record Publish(int windowBatches, long windowBytes, long budgetBytes) {}

    /** What groups are when nobody says. */
    public record Group(
            long flushIntervalMs,
            long defaultLeaseMs,
            int defaultMaxDeliveries,
            int defaultMaxUnacked,
            int otherZonePercent) {}

    /**
     * What shows that all works, or would.
     *
     * @param chaos whether faults may be injected
     * @param canaryMs between two round trips of the canary; 0 = there is none
     */
    public record Rehearsing(boolean chaos, long canaryMs) {}

    public static BrokerConfig of(EffectiveSettings from) {
        return new BrokerConfig(
                from.get(Settings.DATA_DIR),
                from.get(Settings.NODE_ID),
                from.get(Settings.LISTEN),
                from.get(Settings.HTTP),
                from.get(Settings.SHARDS),
                from.get(Settings.IO_THREADS),
                log(from),
                from.get(Settings.LOG_FLUSH_INTERVAL_MS),
                from.get(Settings.SNAPSHOT_INTERVAL_BYTES),
                new Topics(
                        from.get(Settings.TOPICS_AUTO_CREATE),
                        from.get(Settings.TOPICS_DEFAULT_PARTITIONS),
                        from.get(Settings.TOPICS_DEFAULT_DURABILITY),
                        from.get(Settings.RETENTION_CHECK_INTERVAL_MS)),
                new Session(
                        from.get(Settings.SESSION_HEARTBEAT_MS),
                        Math.toIntExact(from.get(Settings.SESSION_MAX_FRAME_BYTES))),
                new Publish(
                        from.get(Settings.PUBLISH_WINDOW_BATCHES),
                        from.get(Settings.PUBLISH_WINDOW_BYTES),
                        from.get(Settings.PUBLISH_BUDGET_BYTES)),
                from.get(Settings.CONTROL_ENABLED),
                group(from),
                ClusterConfig.of(from),
                SecurityConfig.of(from),
                new TracingConfig(
                        from.get(Settings.TRACING_ENDPOINT),
                        from.get(Settings.TRACING_SAMPLE_RATIO),
                        from.get(Settings.TRACING_EXPORT_TIMEOUT_MS),
                        from.get(Settings.TRACING_QUEUE_SPANS)),
                new Rehearsing(from.get(Settings.CHAOS_ENABLED), from.get(Settings.CANARY_INTERVAL_MS)),
                from.get(Settings.DRAIN_TIMEOUT_MS));
    }

    /** The defaults, but for these keys. */
    public static BrokerConfig of(Map<String, String> settings) {
        List<String> assignments = settings.entrySet().stream()
                .map(setting -> setting.getKey() + "=" + setting.getValue())
                .toList();
        return of(new ConfigLoader().assignments(assignments).load());
    }

    private static LogConfig log(EffectiveSettings from) {
        return new LogConfig(
                Math.toIntExact(from.get(Settings.LOG_SEGMENT_BYTES)),
                from.get(Settings.LOG_MIN_FREE_BYTES),
                from.get(Settings.LOG_SEGMENT_MAX_AGE_MS),
                from.get(Settings.LOG_RELOCATE_BELOW_PERMILLE));
    }

    private static Group group(EffectiveSettings from) {
        return new Group(
                from.get(Settings.GROUP_FLUSH_INTERVAL_MS),
                from.get(Settings.GROUP_DEFAULT_LEASE_MS),
                from.get(Settings.GROUP_DEFAULT_MAX_DELIVERIES),
                from.get(Settings.GROUP_DEFAULT_MAX_UNACKED),
                from.get(Settings.GROUP_OTHER_ZONE_PERCENT));
    }

    /** What a shard is told. */
    ShardConfig forShards() {
        boolean synced = topics.defaultDurability.equals("synced");
        return new ShardConfig(
                logFlushIntervalMs,
                group.flushIntervalMs,
                snapshotIntervalBytes,
                topics.retentionCheckIntervalMs,
                Math.toIntExact(group.defaultLeaseMs),
                group.defaultMaxUnacked,
                group.defaultMaxDeliveries,
                GROUP_WINDOW,
                publish.budgetBytes,
                controls,
                TopicConfig.DEFAULT.withDurability(synced ? Durability.DUR_SYNCED : Durability.DUR_MAPPED));
    }

    /** What sessions are told. */
    SessionConfig forSessions() {
        return new SessionConfig(
                Math.toIntExact(session.heartbeatMs),
                session.maxFrameBytes,
                publish.windowBatches,
                publish.windowBytes,
                publish.budgetBytes,
                topics.autoCreate ? topics.defaultPartitions : 0,
                group.otherZonePercent,
                controls);
    }

    /** Event loops to run. */
    int eventLoops() {
        return ioThreads == 0 ? halfTheCores() : ioThreads;
    }

    /** Shards of a new data directory. */
    int newShards() {
        if (cluster.isMember()) {
            return 1;
        }
        return shards == 0 ? Math.min(MAX_SHARDS, halfTheCores()) : shards;
    }

    private static int halfTheCores() {
        return Math.max(1, Runtime.getRuntime().availableProcessors() / 2);
    }
}
