package io.spillway.broker.catalog;

import io.spillway.protocol.v1.Durability;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * What a topic promises.
 *
 * @param durability level at which records become visible and a publisher's default, DUR_MAPPED or DUR_SYNCED
 * @param shedClass how much its publishes matter that do not say so themselves, 0 to 3; higher ones are refused first
 */
public record TopicConfig(
        Durability durability,
        Retention retention,
        DedupWindow dedup,
        Backlog backlog,
        Accepts accepts,
        int shedClass) {
    public static final String DURABILITY = "durability";
    public static final String RETENTION_MS = "retention.ms";
    public static final String RETENTION_BYTES = "retention.bytes";
    public static final String DEDUP_WINDOW_MS = "dedup.window.ms";
    public static final String DEDUP_WINDOW_KEYS = "dedup.window.keys";
    public static final String RETAIN_UNTIL_ACKED = "retain.until.acked";
    public static final String BACKLOG_BYTES = "backlog.bytes";
    public static final String BACKLOG_RECORDS = "backlog.records";
    public static final String BACKLOG_MS = "backlog.ms";
    public static final String BACKLOG_POLICY = "backlog.policy";
    public static final String ACCEPTS = "accepts";
    public static final String SHED_CLASS = "shed.class";
    public static final List<String> KEYS = List.of(
            DURABILITY,
            RETENTION_MS,
            RETENTION_BYTES,
            RETAIN_UNTIL_ACKED,
            DEDUP_WINDOW_MS,
            DEDUP_WINDOW_KEYS,
            BACKLOG_BYTES,
            BACKLOG_RECORDS,
            BACKLOG_MS,
            BACKLOG_POLICY,
            ACCEPTS,
            SHED_CLASS);

    private static final int INTERACTIVE = 2;
    private static final int MAX_SHED_CLASS = 3;

    public static final TopicConfig DEFAULT = new TopicConfig(
            Durability.DUR_SYNCED,
            new Retention(-1, -1, false),
            new DedupWindow(600_000, 1_000_000),
            Backlog.UNBOUNDED,
            new Accepts(false, false),
            INTERACTIVE);

    private static final ConfigValues VALUES = new ConfigValues("topic");
    private static final String REJECT = "reject";
    private static final String DROP_OLDEST = "drop_oldest";
    private static final long MAX_WINDOW_MS = 30L * 24 * 3600 * 1000;
    private static final int MAX_WINDOW_KEYS = 100_000_000;

    /**
     * When records go by themselves.
     *
     * @param ms age in ms after which records may go, -1 = never; at least 1,000
     * @param bytes bytes over all partitions beyond which the oldest records go, -1 = no bound; at least 1 MiB
     * @param untilAcked whether retention leaves what a group of the topic has not settled
     */
    public record Retention(long ms, long bytes, boolean untilAcked) {}

    /**
     * Which idempotency keys are remembered.
     *
     * @param ms how long, in ms of log time; 0 to 30 days
     * @param keys how many in each partition; 0 to 100 million
     */
    public record DedupWindow(long ms, int keys) {}

    /**
     * Bounds on what the slowest group has not settled, over all partitions; without a group on what is stored.
     *
     * @param bytes of the stored batches, -1 = no bound
     * @param records -1 = no bound
     * @param ms age of the oldest, -1 = no bound
     * @param dropsOldest whether the oldest records go at the bound; otherwise publishes are refused
     */
    public record Backlog(long bytes, long records, long ms, boolean dropsOldest) {
        public static final Backlog UNBOUNDED = new Backlog(-1, -1, -1, false);

        public boolean isBounded() {
            return bytes >= 0 || records >= 0 || ms >= 0;
        }
    }

    /** What a topic takes beside publishes: dead letters of other topics, the records of replays. */
    public record Accepts(boolean deadLetters, boolean replays) {
        private static final String DEAD_LETTERS = "dlq";
        private static final String REPLAYS = "replay";
        private static final String BOTH = DEAD_LETTERS + "," + REPLAYS;

        static Accepts parse(String value) {
            return switch (value) {
                case "" -> new Accepts(false, false);
                case DEAD_LETTERS -> new Accepts(true, false);
                case REPLAYS -> new Accepts(false, true);
                case BOTH, REPLAYS + "," + DEAD_LETTERS -> new Accepts(true, true);
                default -> throw VALUES.invalid(ACCEPTS, value, "nothing, dlq, replay, or dlq,replay");
            };
        }

        @Override
        public String toString() {
            return deadLetters && replays ? BOTH : deadLetters ? DEAD_LETTERS : replays ? REPLAYS : "";
        }
    }

    /**
     * The configuration that a record of the log holds. Before {@code accepts} was a setting, a topic with the name of a
     * dead-letter topic was one.
     */
    static TopicConfig ofRecord(String topic, Map<String, String> config) {
        boolean old = !config.containsKey(ACCEPTS) && topic.endsWith(TopicNames.DEAD_LETTER_SUFFIX);
        return (old ? DEFAULT.withAccepts(new Accepts(true, false)) : DEFAULT).with(config);
    }

    public boolean synced() {
        return durability == Durability.DUR_SYNCED;
    }

    public TopicConfig withDurability(Durability level) {
        return new TopicConfig(level, retention, dedup, backlog, accepts, shedClass);
    }

    public TopicConfig withAccepts(Accepts changed) {
        return new TopicConfig(durability, retention, dedup, backlog, changed, shedClass);
    }

    private TopicConfig withRetention(long ms, long bytes, boolean untilAcked) {
        return new TopicConfig(durability, new Retention(ms, bytes, untilAcked), dedup, backlog, accepts, shedClass);
    }

    private TopicConfig withDedup(long ms, int keys) {
        return new TopicConfig(durability, retention, new DedupWindow(ms, keys), backlog, accepts, shedClass);
    }

    private TopicConfig withBacklog(long bytes, long records, long ms, boolean dropsOldest) {
        return new TopicConfig(
                durability, retention, dedup, new Backlog(bytes, records, ms, dropsOldest), accepts, shedClass);
    }

    private TopicConfig withShedClass(int changed) {
        return new TopicConfig(durability, retention, dedup, backlog, accepts, changed);
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
        Retention kept = retention;
        Backlog bound = backlog;
        return switch (key) {
            case DURABILITY -> withDurability(level(value));
            case RETENTION_MS -> withRetention(VALUES.bound(key, value, 1_000), kept.bytes, kept.untilAcked);
            case RETENTION_BYTES -> withRetention(kept.ms, VALUES.bound(key, value, 1 << 20), kept.untilAcked);
            case RETAIN_UNTIL_ACKED -> withRetention(kept.ms, kept.bytes, VALUES.truth(key, value));
            case DEDUP_WINDOW_MS -> withDedup(VALUES.number(key, value, 0, MAX_WINDOW_MS), dedup.keys);
            case DEDUP_WINDOW_KEYS -> withDedup(dedup.ms, (int) VALUES.number(key, value, 0, MAX_WINDOW_KEYS));
            case BACKLOG_BYTES -> withBacklog(VALUES.bound(key, value, 1), bound.records, bound.ms, bound.dropsOldest);
            case BACKLOG_RECORDS -> withBacklog(bound.bytes, VALUES.bound(key, value, 1), bound.ms, bound.dropsOldest);
            case BACKLOG_MS -> withBacklog(bound.bytes, bound.records, VALUES.bound(key, value, 1), bound.dropsOldest);
            case BACKLOG_POLICY -> withBacklog(bound.bytes, bound.records, bound.ms, dropsOldest(value));
            case ACCEPTS -> withAccepts(Accepts.parse(value));
            case SHED_CLASS -> withShedClass((int) VALUES.number(key, value, 0, MAX_SHED_CLASS));
            default -> throw VALUES.unknown(key, KEYS);
        };
    }

    private static boolean dropsOldest(String value) {
        return switch (value) {
            case REJECT -> false;
            case DROP_OLDEST -> true;
            default -> throw VALUES.invalid(BACKLOG_POLICY, value, REJECT + " or " + DROP_OLDEST);
        };
    }

    private static Durability level(String value) {
        return switch (value) {
            case "mapped" -> Durability.DUR_MAPPED;
            case "synced" -> Durability.DUR_SYNCED;
            default -> throw VALUES.invalid(DURABILITY, value, "mapped or synced");
        };
    }

    public Map<String, String> toMap() {
        Map<String, String> map = new LinkedHashMap<>();
        map.put(DURABILITY, synced() ? "synced" : "mapped");
        map.put(RETENTION_MS, Long.toString(retention.ms));
        map.put(RETENTION_BYTES, Long.toString(retention.bytes));
        map.put(RETAIN_UNTIL_ACKED, Boolean.toString(retention.untilAcked));
        map.put(DEDUP_WINDOW_MS, Long.toString(dedup.ms));
        map.put(DEDUP_WINDOW_KEYS, Integer.toString(dedup.keys));
        map.put(BACKLOG_BYTES, Long.toString(backlog.bytes));
        map.put(BACKLOG_RECORDS, Long.toString(backlog.records));
        map.put(BACKLOG_MS, Long.toString(backlog.ms));
        map.put(BACKLOG_POLICY, backlog.dropsOldest ? DROP_OLDEST : REJECT);
        map.put(ACCEPTS, accepts.toString());
        map.put(SHED_CLASS, Integer.toString(shedClass));
        return map;
    }
}
