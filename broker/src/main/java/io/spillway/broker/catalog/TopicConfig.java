package io.spillway.broker.catalog;

import io.spillway.protocol.v1.Durability;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * What a topic promises.
 *
 * @param durability level at which records become visible and a publisher's default, DUR_MAPPED or DUR_SYNCED
 */
public record TopicConfig(Durability durability, Retention retention, DedupWindow dedup) {
    public static final String DURABILITY = "durability";
    public static final String RETENTION_MS = "retention.ms";
    public static final String RETENTION_BYTES = "retention.bytes";
    public static final String DEDUP_WINDOW_MS = "dedup.window.ms";
    public static final String DEDUP_WINDOW_KEYS = "dedup.window.keys";
    public static final List<String> KEYS =
            List.of(DURABILITY, RETENTION_MS, RETENTION_BYTES, DEDUP_WINDOW_MS, DEDUP_WINDOW_KEYS);

    public static final TopicConfig DEFAULT =
            new TopicConfig(Durability.DUR_SYNCED, new Retention(-1, -1), new DedupWindow(600_000, 1_000_000));

    private static final long MAX_WINDOW_MS = 30L * 24 * 3600 * 1000;
    private static final int MAX_WINDOW_KEYS = 100_000_000;

    /**
     * When records go by themselves.
     *
     * @param ms age in ms after which records may go, -1 = never; at least 1,000
     * @param bytes bytes over all partitions beyond which the oldest records go, -1 = no bound; at least 1 MiB
     */
    public record Retention(long ms, long bytes) {}

    /**
     * Which idempotency keys are remembered.
     *
     * @param ms how long, in ms of log time; 0 to 30 days
     * @param keys how many in each partition; 0 to 100 million
     */
    public record DedupWindow(long ms, int keys) {}

    public boolean synced() {
        return durability == Durability.DUR_SYNCED;
    }

    public TopicConfig withDurability(Durability level) {
        return new TopicConfig(level, retention, dedup);
    }

    private TopicConfig with(Retention changed) {
        return new TopicConfig(durability, changed, dedup);
    }

    private TopicConfig with(DedupWindow changed) {
        return new TopicConfig(durability, retention, changed);
    }

    /** This configuration with the given keys changed. Throws INVALID_ARGUMENT naming key, value and what is allowed. */
    public TopicConfig with(Map<String, String> changes) {
        TopicConfig config = this;
        for (Map.Entry<String, String> change : changes.entrySet()) {
            config = config.with(change.getKey(), change.getValue());
        }
        return config;
    }

    private TopicConfig with(String key, String value) {
        return switch (key) {
            case DURABILITY -> withDurability(level(value));
            case RETENTION_MS -> with(new Retention(ConfigValues.bound(key, value, 1_000), retention.bytes));
            case RETENTION_BYTES -> with(new Retention(retention.ms, ConfigValues.bound(key, value, 1 << 20)));
            case DEDUP_WINDOW_MS ->
                with(new DedupWindow(ConfigValues.number(key, value, 0, MAX_WINDOW_MS), dedup.keys));
            case DEDUP_WINDOW_KEYS ->
                with(new DedupWindow(dedup.ms, (int) ConfigValues.number(key, value, 0, MAX_WINDOW_KEYS)));
            default -> throw ConfigValues.unknown(key, KEYS);
        };
    }

    private static Durability level(String value) {
        return switch (value) {
            case "mapped" -> Durability.DUR_MAPPED;
            case "synced" -> Durability.DUR_SYNCED;
            default -> throw ConfigValues.invalid(DURABILITY, value, "mapped or synced");
        };
    }

    public Map<String, String> toMap() {
        Map<String, String> map = new LinkedHashMap<>();
        map.put(DURABILITY, synced() ? "synced" : "mapped");
        map.put(RETENTION_MS, Long.toString(retention.ms));
        map.put(RETENTION_BYTES, Long.toString(retention.bytes));
        map.put(DEDUP_WINDOW_MS, Long.toString(dedup.ms));
        map.put(DEDUP_WINDOW_KEYS, Integer.toString(dedup.keys));
        return map;
    }
}
