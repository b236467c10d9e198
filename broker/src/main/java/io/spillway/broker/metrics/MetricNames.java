package io.spillway.broker.metrics;

/** Every metric the broker exports; base units, no identifiers as labels. */
public final class MetricNames {
    public static final String BUILD_INFO = "spillway_build_info";
    public static final String PUBLISHED_BATCHES = "spillway_published_batches_total";
    public static final String PUBLISHED_RECORDS = "spillway_published_records_total";
    public static final String PUBLISHED_BYTES = "spillway_published_bytes_total";
    public static final String PUBLISH_DUPLICATES = "spillway_publish_duplicates_total";
    public static final String PUBLISH_REFUSED = "spillway_publish_refused_total";
    public static final String KEY_CONFLICTS = "spillway_idempotency_conflicts_total";
    public static final String PUBLISH_WAITING_BYTES = "spillway_publish_waiting_bytes";
    public static final String DELIVERED_BATCHES = "spillway_delivered_batches_total";
    public static final String DELIVERED_RECORDS = "spillway_delivered_records_total";
    public static final String DELIVERED_BYTES = "spillway_delivered_bytes_total";
    public static final String REDELIVERED_RECORDS = "spillway_redelivered_records_total";
    /** Label outcome: accepted, nacked, released, expired, lost. */
    public static final String SETTLED_RECORDS = "spillway_settled_records_total";

    public static final String DEAD_LETTERS = "spillway_dead_letters_total";
    public static final String CORRUPT_BATCHES = "spillway_corrupt_batches_total";
    public static final String SYNCS = "spillway_log_syncs_total";
    public static final String SYNC_SECONDS = "spillway_log_sync_seconds_total";
    public static final String SNAPSHOTS = "spillway_snapshots_total";
    public static final String MAILBOX_DEPTH = "spillway_mailbox_depth";
    public static final String READ_ONLY = "spillway_read_only";
    public static final String CONNECTIONS = "spillway_connections";
    public static final String PROTOCOL_ERRORS = "spillway_protocol_errors_total";
    public static final String TOPICS = "spillway_topics";
    public static final String HEAP_BYTES = "spillway_heap_used_bytes";

    private MetricNames() {}
}
