package io.spillway.broker.metrics;

import static io.spillway.broker.metrics.Metric.counter;
import static io.spillway.broker.metrics.Metric.gauge;
import static io.spillway.broker.metrics.Metric.histogram;
import static io.spillway.broker.metrics.Metric.info;

import java.util.List;

/** Every metric of the broker, but for those of the JVM. Names are for ever: dashboards and alerts stand on them. */
public final class MetricNames {
    public static final Metric BUILD =
            info("spillway_build_info", "Always 1; the labels say what runs.", "version", "java");
    public static final Metric READY = gauge(
            "spillway_ready", "1 while the broker takes publishes and serves consumers, as /readyz says; else 0.");
    public static final Metric NODE_TROUBLE = gauge(
            "spillway_node_trouble",
            "1 while this is wrong with the broker, else 0; the causes are those of spillway diagnose node.",
            "cause");
    public static final Metric CONNECTIONS = gauge("spillway_connections", "Client connections that are open.");
    public static final Metric CONNECTIONS_HALF_OPEN =
            gauge("spillway_connections_half_open", "Connections whose clients have not said yet who they are.");
    public static final Metric CONNECTIONS_REFUSED = counter(
            "spillway_connections_refused_total",
            "Connections closed before a session: address = its address has too many, half_open = for a newer one, because too "
                    + "many clients had not said yet who they are.",
            "why");
    public static final Metric LOGINS_REFUSED = counter(
            "spillway_logins_refused_total",
            "Clients and http requests that did not prove who they are, sessions ended because that holds no more included.");
    public static final Metric LOGINS_THROTTLED = counter(
            "spillway_logins_throttled_total",
            "Passwords refused unseen, because too many from the same address were wrong before; refused logins count them, too.");
    public static final Metric REQUESTS_DENIED = counter(
            "spillway_requests_denied_total", "Requests refused because no rule allows them, or one denies them.");
    public static final Metric FILES_NOT_RELOADED = counter(
            "spillway_security_reload_failures_total",
            "Changed certificates, credentials or keys that could not be used; those before are used on.");
    public static final Metric CERTIFICATE_ENDS = gauge(
            "spillway_tls_certificate_end_timestamp_seconds", "When the broker's certificate ends; 0 without TLS.");
    public static final Metric PROTOCOL_ERRORS = counter(
            "spillway_protocol_errors_total", "Frames no client of ours would send; their connections were closed.");
    public static final Metric TOPICS = gauge("spillway_topics", "Topics, dead-letter topics included.");
    public static final Metric TOPICS_SWITCHED = gauge(
            "spillway_topics_switched",
            "Topics at which an operator has paused publishing or dispatch, or that have a class of their own.",
            "switch");
    public static final Metric DEGRADATION_STEP = gauge(
            "spillway_degradation_step",
            "What the broker does without: 0 nothing, 1 ELEVATED, 2 THROTTLED, 3 OVERLOADED, 4 QUORUM_LOST, 5 READ_ONLY, "
                    + "6 RESERVE, 7 SHUTTING_DOWN.");
    public static final Metric TOGGLES_SET = gauge("spillway_toggles_set", "Toggles that are not at their default.");
    public static final Metric TOGGLES_EXPIRED =
            gauge("spillway_toggles_expired", "Toggles that should be gone by now; they hold all the same.");

    public static final Metric CHAOS_FAULTS =
            gauge("spillway_chaos_faults_active", "Faults that are injected for a rehearsal.", "kind");
    public static final Metric CHAOS_HITS = counter(
            "spillway_chaos_faults_injected_total",
            "Requests, syncs and calls of other nodes that injected faults have hit.",
            "kind");
    public static final Metric CANARY_ROUND_TRIP = histogram(
            "spillway_canary_round_trip_seconds",
            "From the broker's publish to itself to the settlement of what came of it; empty while canary.interval-ms is 0.");
    public static final Metric CANARY_FAILURES =
            counter("spillway_canary_failures_total", "Round trips of the canary that did not end well, or in time.");
    public static final Metric CANARY_AGE = gauge(
            "spillway_canary_last_success_age_seconds",
            "Since the canary last came back, or was to begin; 0 while there is none, and at a node that does not lead.");

    public static final Metric PUBLISHED_BATCHES = counter("spillway_published_batches_total", "Batches appended.");
    public static final Metric PUBLISHED_RECORDS = counter("spillway_published_records_total", "Records appended.");
    public static final Metric PUBLISHED_BYTES =
            counter("spillway_published_bytes_total", "Bytes of batches appended.");
    public static final Metric PUBLISH_DUPLICATES = counter(
            "spillway_publish_duplicates_total",
            "What was there before, by what told: sequence (batches) or key (records).",
            "by");
    public static final Metric PUBLISH_REFUSED =
            counter("spillway_publish_refused_total", "Batches answered with an error.");
    public static final Metric PUBLISH_ACK_SECONDS = histogram(
            "spillway_publish_ack_duration_seconds",
            "From the arrival of a batch to its ack, by the durability that it reached: mapped, synced or quorum.",
            "durability");
    public static final Metric PUBLISH_THROTTLED = counter(
            "spillway_publish_throttled_total",
            "Publishes refused to protect the broker: replication = the cluster does not agree fast enough, quota ="
                    + " their quota is owed too much, class = the pressure is too high for their class,"
                    + " queue_delay = publishes wait too long for their turn.",
            "reason");
    public static final Metric PRESSURE_STATE = gauge(
            "spillway_pressure_state",
            "The state a signal asks for, the highest of all failure domains: 0 NORMAL, 1 ELEVATED, 2 THROTTLED,"
                    + " 3 OVERLOADED, 4 READ_ONLY.",
            "signal");
    public static final Metric KEY_CONFLICTS = counter(
            "spillway_idempotency_conflicts_total",
            "Records refused because their idempotency key came before with other content.");
    public static final Metric KEYS_REFUSED = counter(
            "spillway_idempotency_refused_total",
            "Records refused by their idempotency key: window (a retry older than what is remembered) or progress (the first "
                    + "copy was not durable in time).",
            "why");
    public static final Metric BACKLOG_REFUSED = counter(
            "spillway_backlog_refused_total", "Batches refused with QUEUE_FULL: their topic had reached a bound.");
    public static final Metric BACKLOG_DROPPED = counter(
            "spillway_backlog_dropped_records_total", "Records removed because their topic had reached a bound.");
    public static final Metric PUBLISH_WAITING_BYTES =
            gauge("spillway_publish_waiting_bytes", "Bytes of publishes received and not answered yet.");

    public static final Metric DELIVERED_BATCHES =
            counter("spillway_delivered_batches_total", "Batches sent to consumers.");
    public static final Metric DELIVERED_RECORDS =
            counter("spillway_delivered_records_total", "Records sent to consumers.");
    public static final Metric DELIVERED_BYTES =
            counter("spillway_delivered_bytes_total", "Bytes of batches sent to consumers.");
    public static final Metric REDELIVERED_RECORDS = counter(
            "spillway_redelivered_records_total",
            "Records sent to a group once more, by cause: failed (nacked, or a lease ran out) or returned (given back).",
            "cause");
    public static final Metric SETTLED_RECORDS = counter(
            "spillway_settled_records_total",
            "Ends of leases, in records: accepted, nacked, released, expired, or lost (settled too late).",
            "outcome");
    public static final Metric DEAD_LETTERS =
            counter("spillway_dead_letters_total", "Records moved to a dead-letter topic, by cause.", "cause");
    public static final Metric BREAKER_TRIPS = counter(
            "spillway_dlq_breaker_trips_total",
            "Times a group paused because too many of its records were dead-lettered.");
    public static final Metric CONSUMERS =
            gauge("spillway_consumers", "Members of groups, by their health: what they report, or EJECTED.", "health");
    public static final Metric CONSUMER_WEIGHT = gauge(
            "spillway_consumer_weight",
            "Sum of the weights of members by their health: what their groups can do, counted in average members.",
            "health");
    public static final Metric BACKLOG_RECORDS = gauge(
            "spillway_backlog_records",
            "Records that consumers may have and that are not settled, each as often as groups want it.");
    public static final Metric IN_FLIGHT_RECORDS =
            gauge("spillway_in_flight_records", "Records that members of groups hold, or have just settled.");
    public static final Metric GROUPS_BLOCKED = gauge(
            "spillway_groups_blocked",
            "Groups that have records and do not deliver them, by the cause that spillway diagnose names.",
            "cause");
    public static final Metric DISPATCH_BLOCKED_SECONDS = counter(
            "spillway_dispatch_blocked_seconds_total",
            "For how long groups had records and did not deliver them, by the cause that spillway diagnose names; each group is"
                    + " looked at once a second.",
            "cause");
    public static final Metric REPLAY_JOBS = gauge(
            "spillway_replay_jobs", "Replay jobs that have not ended, by their state: running or paused.", "state");
    public static final Metric REPLAY_RECORDS = gauge(
            "spillway_replay_records",
            "Records of the replay jobs that have not ended: planned, and done of these.",
            "stage");
    public static final Metric HANDOFFS = counter(
            "spillway_consumer_handoffs_total", "Times others took over from a member because it was not well.");
    public static final Metric GROUPS_PAUSED =
            gauge("spillway_groups_paused", "Groups that deliver nothing until they are resumed.");

    public static final Metric SYNCS = counter("spillway_log_syncs_total", "Times the log was forced to disk.");
    public static final Metric SYNC_SECONDS =
            counter("spillway_log_sync_seconds_total", "Time spent forcing the log to disk.");
    public static final Metric SYNC_DURATION =
            histogram("spillway_log_sync_duration_seconds", "How long it took to force the log to disk, each time.");
    public static final Metric SNAPSHOTS = counter("spillway_snapshots_total", "Snapshots of a shard's state written.");
    public static final Metric CORRUPT_BATCHES =
            counter("spillway_corrupt_batches_total", "Batches found corrupt since the start; never served.");
    public static final Metric LOG_BYTES = gauge("spillway_log_bytes", "Bytes the log's files take on disk.", "shard");
    public static final Metric LOG_LIVE_BYTES =
            gauge("spillway_log_live_bytes", "Bytes of batches that retention keeps.", "shard");
    public static final Metric LOG_SEGMENTS = gauge("spillway_log_segments", "Segment files.", "shard");
    public static final Metric LOG_RELOCATED_BYTES = counter(
            "spillway_log_relocated_bytes_total", "Bytes of batches moved forward so that a segment can go.", "shard");
    public static final Metric LOG_FREED_SEGMENTS =
            counter("spillway_log_freed_segments_total", "Segments deleted.", "shard");
    public static final Metric DISK_FREE_BYTES =
            gauge("spillway_disk_free_bytes", "Free bytes of the log's file system.", "shard");
    public static final Metric READ_ONLY =
            gauge("spillway_read_only", "1 while a shard refuses to publish, else 0.", "shard");
    public static final Metric MAILBOX_DEPTH =
            gauge("spillway_mailbox_depth", "Commands that wait for a shard.", "shard");
    public static final Metric CLUSTER_TERM =
            gauge("spillway_cluster_term", "The newest term that this node of a cluster knows.");
    public static final Metric CLUSTER_COMMIT =
            gauge("spillway_cluster_commit_index", "Up to which entry this node knows the cluster to have agreed.");
    public static final Metric CLUSTER_APPLIED =
            gauge("spillway_cluster_applied_index", "Up to which entry this node has taken up what was agreed on.");
    public static final Metric CLUSTER_LEADER =
            gauge("spillway_cluster_is_leader", "1 while this node serves the cluster's clients, else 0.");
    public static final Metric CLUSTER_LAG = gauge(
            "spillway_cluster_lag_entries",
            "Agreed entries that a node is not known to hold; NaN at all but the leader.",
            "node",
            "zone");
    public static final Metric CLUSTER_ZONE_LAG = gauge(
            "spillway_cluster_zone_lag_seconds",
            "For how long the most advanced node of a zone has lacked something agreed on; NaN at all but the leader.",
            "zone");
    public static final Metric CLUSTER_CONTACT = gauge(
            "spillway_cluster_last_contact_seconds",
            "Time since the leader last heard of a node; NaN at all but the leader.",
            "node",
            "zone");
    public static final Metric CLUSTER_REPAIRS = counter(
            "spillway_cluster_repairs_total",
            "Times this node replaced a damaged or missing log, or came back as a new node, since it started.");
    public static final Metric CLUSTER_RETURNING = gauge(
            "spillway_cluster_returning", "1 while this node gets what it lacks and does not do its part, else 0.");
    public static final Metric QUARANTINED =
            gauge("spillway_quarantine_directories", "Directories of damaged files that wait for an operator.");
    public static final Metric LINK_LAG_RECORDS =
            gauge("spillway_link_lag_records", "Records known to be at a link's source and not here.", "link");
    public static final Metric LINK_LAG_SECONDS = gauge(
            "spillway_link_lag_seconds",
            "How long the oldest record that a link lacks has been at its source, and since when nothing was heard of that.",
            "link");
    public static final Metric LINK_BYTES =
            gauge("spillway_link_copied_bytes", "Bytes of batches a link copied since the broker started.", "link");
    public static final Metric LINK_TROUBLES = gauge(
            "spillway_link_troubles", "What is wrong with a link or its topics; spillway link status says it.", "link");
    public static final Metric LINK_STATE = gauge(
            "spillway_link_state",
            "1 for what a link does: connecting, copying, promoting, fencing or promoted; else 0.",
            "link",
            "state");
    public static final Metric TRACE_SPANS_EXPORTED =
            counter("spillway_trace_spans_exported_total", "Spans of the broker's that the collector has taken.");
    public static final Metric TRACE_SPANS_LOST = counter(
            "spillway_trace_spans_lost_total",
            "Spans of the broker's that nobody has: queue = too many waited, export = the collector did not take them.",
            "why");
    public static final Metric HEAP_BYTES = gauge("spillway_heap_used_bytes", "Bytes of the Java heap in use.");

    /** All of them, in the order of the documentation. */
    public static final List<Metric> ALL = List.of(
            BUILD,
            READY,
            NODE_TROUBLE,
            CONNECTIONS,
            CONNECTIONS_HALF_OPEN,
            CONNECTIONS_REFUSED,
            LOGINS_REFUSED,
            LOGINS_THROTTLED,
            REQUESTS_DENIED,
            FILES_NOT_RELOADED,
            CERTIFICATE_ENDS,
            PROTOCOL_ERRORS,
            TOPICS,
            TOPICS_SWITCHED,
            DEGRADATION_STEP,
            TOGGLES_SET,
            TOGGLES_EXPIRED,
            CHAOS_FAULTS,
            CHAOS_HITS,
            CANARY_ROUND_TRIP,
            CANARY_FAILURES,
            CANARY_AGE,
            PUBLISHED_BATCHES,
            PUBLISHED_RECORDS,
            PUBLISHED_BYTES,
            PUBLISH_DUPLICATES,
            PUBLISH_REFUSED,
            PUBLISH_ACK_SECONDS,
            PUBLISH_THROTTLED,
            PRESSURE_STATE,
            KEY_CONFLICTS,
            KEYS_REFUSED,
            BACKLOG_REFUSED,
            BACKLOG_DROPPED,
            PUBLISH_WAITING_BYTES,
            DELIVERED_BATCHES,
            DELIVERED_RECORDS,
            DELIVERED_BYTES,
            REDELIVERED_RECORDS,
            SETTLED_RECORDS,
            DEAD_LETTERS,
            BREAKER_TRIPS,
            CONSUMERS,
            CONSUMER_WEIGHT,
            BACKLOG_RECORDS,
            IN_FLIGHT_RECORDS,
            GROUPS_BLOCKED,
            DISPATCH_BLOCKED_SECONDS,
            REPLAY_JOBS,
            REPLAY_RECORDS,
            HANDOFFS,
            GROUPS_PAUSED,
            SYNCS,
            SYNC_SECONDS,
            SYNC_DURATION,
            SNAPSHOTS,
            CORRUPT_BATCHES,
            LOG_BYTES,
            LOG_LIVE_BYTES,
            LOG_SEGMENTS,
            LOG_RELOCATED_BYTES,
            LOG_FREED_SEGMENTS,
            DISK_FREE_BYTES,
            READ_ONLY,
            MAILBOX_DEPTH,
            CLUSTER_TERM,
            CLUSTER_COMMIT,
            CLUSTER_APPLIED,
            CLUSTER_LEADER,
            CLUSTER_LAG,
            CLUSTER_ZONE_LAG,
            CLUSTER_CONTACT,
            CLUSTER_REPAIRS,
            CLUSTER_RETURNING,
            QUARANTINED,
            LINK_LAG_RECORDS,
            LINK_LAG_SECONDS,
            LINK_BYTES,
            LINK_TROUBLES,
            LINK_STATE,
            TRACE_SPANS_EXPORTED,
            TRACE_SPANS_LOST,
            HEAP_BYTES);

    private MetricNames() {}
}
