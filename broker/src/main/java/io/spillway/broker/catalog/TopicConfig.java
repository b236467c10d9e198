package io.spillway.broker.catalog;

import io.spillway.broker.base.NearestName;
import io.spillway.broker.base.SpillwayException;
import io.spillway.protocol.Code;
import io.spillway.protocol.v1.Durability;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * What a topic promises.
 *
 * @param durability level at which records become visible and a publisher's default, DUR_MAPPED or DUR_SYNCED
 * @param retentionMs age in ms after which records may go, -1 = never; at least 1,000
 * @param retentionBytes bytes over all partitions beyond which the oldest records go, -1 = no bound; at least 1 MiB
 * @param dedupWindowMs how long an idempotency key is remembered, in ms of log time; 0 to 30 days
 * @param dedupWindowKeys how many idempotency keys each partition remembers; 0 to 100 million
 */
public record TopicConfig(
        Durability durability, long retentionMs, long retentionBytes, long dedupWindowMs, int dedupWindowKeys) {
    public static final String DURABILITY = "durability";
    public static final String RETENTION_MS = "retention.ms";
    public static final String RETENTION_BYTES = "retention.bytes";
    public static final String DEDUP_WINDOW_MS = "dedup.window.ms";
    public static final String DEDUP_WINDOW_KEYS = "dedup.window.keys";
    public static final List<String> KEYS =
            List.of(DURABILITY, RETENTION_MS, RETENTION_BYTES, DEDUP_WINDOW_MS, DEDUP_WINDOW_KEYS);

    public static final TopicConfig DEFAULT = new TopicConfig(Durability.DUR_SYNCED, -1, -1, 600_000, 1_000_000);

    private static final long MAX_WINDOW_MS = 30L * 24 * 3600 * 1000;

    public boolean synced() {
        return durability == Durability.DUR_SYNCED;
    }

    public TopicConfig withDurability(Durability level) {
        return new TopicConfig(level, retentionMs, retentionBytes, dedupWindowMs, dedupWindowKeys);
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
            case DURABILITY ->
                new TopicConfig(level(value), retentionMs, retentionBytes, dedupWindowMs, dedupWindowKeys);
            case RETENTION_MS ->
                new TopicConfig(
                        durability,
                        number(key, value, 1_000, Long.MAX_VALUE, true),
                        retentionBytes,
                        dedupWindowMs,
                        dedupWindowKeys);
            case RETENTION_BYTES ->
                new TopicConfig(
                        durability,
                        retentionMs,
                        number(key, value, 1 << 20, Long.MAX_VALUE, true),
                        dedupWindowMs,
                        dedupWindowKeys);
            case DEDUP_WINDOW_MS ->
                new TopicConfig(
                        durability,
                        retentionMs,
                        retentionBytes,
                        number(key, value, 0, MAX_WINDOW_MS, false),
                        dedupWindowKeys);
            case DEDUP_WINDOW_KEYS ->
                new TopicConfig(durability, retentionMs, retentionBytes, dedupWindowMs, (int)
                        number(key, value, 0, 100_000_000, false));
            default ->
                throw new SpillwayException(
                        Code.INVALID_ARGUMENT,
                        "unknown topic setting \"" + key + "\"",
                        "topics have " + String.join(", ", KEYS),
                        NearestName.of(key, KEYS)
                                .map(known -> "did you mean " + known + "?")
                                .orElse("see docs/configuration.md"));
        };
    }

    private static Durability level(String value) {
        return switch (value) {
            case "mapped" -> Durability.DUR_MAPPED;
            case "synced" -> Durability.DUR_SYNCED;
            default -> throw invalid(DURABILITY, value, "mapped or synced");
        };
    }

    private static long number(String key, String value, long min, long max, boolean unboundedAllowed) {
        String allowed = "a whole number from " + min + (max == Long.MAX_VALUE ? "" : " to " + max)
                + (unboundedAllowed ? ", or -1 for no bound" : "");
        try {
            long number = Long.parseLong(value);
            if ((unboundedAllowed && number == -1) || (number >= min && number <= max)) {
                return number;
            }
        } catch (NumberFormatException e) {
            throw invalid(key, value, allowed);
        }
        throw invalid(key, value, allowed);
    }

    private static SpillwayException invalid(String key, String value, String allowed) {
        return new SpillwayException(
                Code.INVALID_ARGUMENT,
                "topic setting " + key + " has the value \"" + value + "\"",
                "allowed: " + allowed,
                "give an allowed value");
    }

    public Map<String, String> toMap() {
        Map<String, String> map = new LinkedHashMap<>();
        map.put(DURABILITY, synced() ? "synced" : "mapped");
        map.put(RETENTION_MS, Long.toString(retentionMs));
        map.put(RETENTION_BYTES, Long.toString(retentionBytes));
        map.put(DEDUP_WINDOW_MS, Long.toString(dedupWindowMs));
        map.put(DEDUP_WINDOW_KEYS, Integer.toString(dedupWindowKeys));
        return map;
    }
}
