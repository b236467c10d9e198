package io.spillway.broker;

import static io.spillway.broker.metrics.MetricNames.*;

import io.spillway.broker.admin.Traffic;
import io.spillway.broker.canary.Canary;
import io.spillway.broker.catalog.Switches;
import io.spillway.broker.chaos.FaultKind;
import io.spillway.broker.diagnose.Cause;
import io.spillway.broker.flow.Pressures;
import io.spillway.broker.log.LogStats;
import io.spillway.broker.metrics.Histogram;
import io.spillway.broker.metrics.Meters;
import io.spillway.broker.metrics.Metric;
import io.spillway.broker.replay.ReplayService;
import io.spillway.broker.session.ChaosControl;
import io.spillway.broker.session.Degradation;
import io.spillway.broker.session.PressureMonitor;
import io.spillway.broker.session.SessionContext;
import io.spillway.broker.shard.GroupFigures;
import io.spillway.broker.shard.Shard;
import io.spillway.broker.shard.ShardCounters;
import io.spillway.broker.tracing.Traces;
import io.spillway.broker.transport.BrokerServer;
import io.spillway.protocol.v1.Durability;
import io.spillway.protocol.v1.PressureReason;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.Function;
import java.util.function.ToLongFunction;
import org.jspecify.annotations.Nullable;

/** Binds what the broker counts to its metrics; the hot paths only add to their counters. */
final class BrokerMetrics {
    private static final double PER_MILLE = 1_000;

    private final Meters meters;
    private final List<Shard> shards;

    BrokerMetrics(Meters meters, List<Shard> shards) {
        this.meters = meters;
        this.shards = shards;
    }

    void bind(String version, BrokerServer server, SessionContext context) {
        meters.bindInfo(BUILD, version, Runtime.version().toString());
        meters.bind(CONNECTIONS, server::connections);
        meters.bind(TOPICS, context::topics);
        meters.bind(TOPICS_SWITCHED, () -> context.topics(Switches::publishPaused), "publish_paused");
        meters.bind(TOPICS_SWITCHED, () -> context.topics(Switches::dispatchPaused), "dispatch_paused");
        meters.bind(TOPICS_SWITCHED, () -> context.topics(each -> each.shedClass() > 0), "shed_class");
        meters.bind(TOGGLES_SET, () -> context.toggleSettings().all().all().size());
        meters.bind(TOGGLES_EXPIRED, () -> context.toggleSettings().expired());
        meters.bind(PUBLISH_WAITING_BYTES, context::publishBytes);
        meters.bind(PUBLISH_THROTTLED, context::overQuota, "quota");
        meters.bind(PUBLISH_THROTTLED, context::shed, "class");
        meters.bind(PROTOCOL_ERRORS, context::protocolErrors);
        Runtime runtime = Runtime.getRuntime();
        meters.bind(HEAP_BYTES, () -> runtime.totalMemory() - runtime.freeMemory());
        bindPublish();
        bindConsume();
        bindDispatch();
        bindDurations();
        count(CORRUPT_BATCHES, counters -> counters.corruptBatches);
        count(SYNCS, counters -> counters.syncs);
        count(SNAPSHOTS, counters -> counters.snapshots);
        meters.bindSeconds(SYNC_SECONDS, () -> sum(counters -> counters.syncNanos));
        for (int i = 0; i < shards.size(); i++) {
            bindShard(shards.get(i), Integer.toString(i));
        }
    }

    void bindPressure(PressureMonitor pressure) {
        for (PressureReason signal : Pressures.SIGNALS) {
            String name = signal.name().substring("R_".length()).toLowerCase(Locale.ROOT);
            meters.bind(PRESSURE_STATE, () -> pressure.level(signal), name);
        }
    }

    void bindDegradation(Degradation degradation) {
        meters.bind(DEGRADATION_STEP, () -> degradation.view().step().number());
    }

    void bindSecurity(OpenedSecurity security, BrokerServer server) {
        meters.bind(CONNECTIONS_HALF_OPEN, server::halfOpen);
        meters.bind(CONNECTIONS_REFUSED, server::refusedConnections, "address");
        meters.bind(CONNECTIONS_REFUSED, server::evictedConnections, "half_open");
        meters.bind(LOGINS_REFUSED, () -> security.security().denials().unknown());
        meters.bind(LOGINS_THROTTLED, () -> security.security().authenticator().throttled());
        meters.bind(REQUESTS_DENIED, () -> security.security().denials().denied());
        meters.bind(FILES_NOT_RELOADED, security::reloadFailures);
        meters.bind(CERTIFICATE_ENDS, security::certificateEndsS);
    }

    /** What was moved since the broker started. */
    Traffic traffic() {
        long deadLetters = ShardCounters.causes().stream()
                .mapToLong(cause -> sum(counters -> counters.deadLetters(cause)))
                .sum();
        return new Traffic(
                sum(counters -> counters.publishedRecords),
                sum(counters -> counters.publishedBytes),
                sum(counters -> counters.deliveredRecords),
                sum(counters -> counters.deliveredBytes),
                sum(counters -> counters.accepted),
                sum(counters -> counters.redeliveredFailed) + sum(counters -> counters.redeliveredReturned),
                deadLetters);
    }

    private void bindPublish() {
        count(PUBLISHED_BATCHES, counters -> counters.publishedBatches);
        count(PUBLISHED_RECORDS, counters -> counters.publishedRecords);
        count(PUBLISHED_BYTES, counters -> counters.publishedBytes);
        count(PUBLISH_DUPLICATES, counters -> counters.duplicateBatches, "sequence");
        count(PUBLISH_DUPLICATES, counters -> counters.duplicateKeys, "key");
        count(PUBLISH_REFUSED, counters -> counters.refusedPublishes);
        count(PUBLISH_THROTTLED, counters -> counters.throttledByReplication, "replication");
        count(PUBLISH_THROTTLED, counters -> counters.shedByDelay, "queue_delay");
        count(KEY_CONFLICTS, counters -> counters.keyConflicts);
        count(KEYS_REFUSED, counters -> counters.windowExceeded, "window");
        count(KEYS_REFUSED, counters -> counters.keysInProgress, "progress");
        count(BACKLOG_REFUSED, counters -> counters.backlogRefused);
        count(BACKLOG_DROPPED, counters -> counters.backlogDropped);
    }

    private void bindConsume() {
        count(DELIVERED_BATCHES, counters -> counters.deliveredBatches);
        count(DELIVERED_RECORDS, counters -> counters.deliveredRecords);
        count(DELIVERED_BYTES, counters -> counters.deliveredBytes);
        count(REDELIVERED_RECORDS, counters -> counters.redeliveredFailed, "failed");
        count(REDELIVERED_RECORDS, counters -> counters.redeliveredReturned, "returned");
        count(SETTLED_RECORDS, counters -> counters.accepted, "accepted");
        count(SETTLED_RECORDS, counters -> counters.nacked, "nacked");
        count(SETTLED_RECORDS, counters -> counters.released, "released");
        count(SETTLED_RECORDS, counters -> counters.leasesExpired, "expired");
        count(SETTLED_RECORDS, counters -> counters.leasesLost, "lost");
        ShardCounters.causes().forEach(cause -> count(DEAD_LETTERS, counters -> counters.deadLetters(cause), cause));
        count(BREAKER_TRIPS, counters -> counters.breakerTrips);
        count(HANDOFFS, counters -> counters.handOffs);
        Shard.standings()
                .forEach(standing -> meters.bind(
                        CONSUMERS,
                        () -> shards.stream()
                                .mapToInt(shard -> shard.members(standing))
                                .sum(),
                        standing));
        meters.bind(
                GROUPS_PAUSED,
                () -> shards.stream().mapToInt(Shard::pausedGroups).sum());
    }

    /** What is delivered, and what is kept from it. */
    private void bindDispatch() {
        meters.bind(BACKLOG_RECORDS, () -> figure(GroupFigures::backlog));
        meters.bind(IN_FLIGHT_RECORDS, () -> figure(GroupFigures::inFlight));
        Cause.ofDispatch().forEach(cause -> {
            meters.bind(GROUPS_BLOCKED, () -> figure(each -> each.blocked().getOrDefault(cause, 0)), cause.name());
            meters.bindSeconds(
                    DISPATCH_BLOCKED_SECONDS,
                    () -> TimeUnit.MILLISECONDS.toNanos(sum(counters -> counters.blockedMs(cause))),
                    cause.name());
        });
        Shard.standings()
                .forEach(standing -> meters.bindFraction(
                        CONSUMER_WEIGHT,
                        () -> figure(each -> each.weights().getOrDefault(standing, 0L)) / PER_MILLE,
                        standing));
    }

    private long figure(ToLongFunction<GroupFigures> figure) {
        return shards.stream()
                .mapToLong(shard -> figure.applyAsLong(shard.figures()))
                .sum();
    }

    private void bindDurations() {
        Map<List<String>, List<Histogram>> acks = new LinkedHashMap<>();
        for (Durability reached : ShardCounters.REACHED) {
            String name = reached.name().substring("DUR_".length()).toLowerCase(Locale.ROOT);
            acks.put(
                    List.of(name),
                    shards.stream()
                            .map(shard -> shard.counters().ackTook(reached))
                            .toList());
        }
        meters.bind(PUBLISH_ACK_SECONDS, acks);
        meters.bind(
                SYNC_DURATION,
                Map.of(
                        List.of(),
                        shards.stream().map(shard -> shard.counters().syncTook).toList()));
    }

    void bindReplays(ReplayService replays) {
        meters.bind(REPLAY_JOBS, () -> replays.progress().running(), "running");
        meters.bind(REPLAY_JOBS, () -> replays.progress().paused(), "paused");
        meters.bind(REPLAY_RECORDS, () -> replays.progress().records(), "planned");
        meters.bind(REPLAY_RECORDS, () -> replays.progress().done(), "done");
    }

    void bindHealth(NodeHealth health) {
        meters.bind(READY, () -> health.health().ready() ? 1 : 0);
        NodeHealth.TROUBLES.forEach(cause -> meters.bind(NODE_TROUBLE, () -> health.has(cause) ? 1 : 0, cause.name()));
    }

    void bindTraces(@Nullable Traces traces) {
        meters.bind(TRACE_SPANS_EXPORTED, () -> traces == null ? 0 : traces.exported());
        meters.bind(TRACE_SPANS_LOST, () -> traces == null ? 0 : traces.dropped(), "queue");
        meters.bind(TRACE_SPANS_LOST, () -> traces == null ? 0 : traces.failed(), "export");
    }

    void bindRehearsing(ChaosControl chaos, Canary canary) {
        for (FaultKind kind : FaultKind.values()) {
            meters.bind(CHAOS_FAULTS, () -> chaos.active(kind), kind.text());
            meters.bind(CHAOS_HITS, () -> chaos.hits(kind), kind.text());
        }
        meters.bind(CANARY_ROUND_TRIP, Map.of(List.of(), List.of(canary.took())));
        meters.bind(CANARY_FAILURES, canary::failures);
        meters.bindSeconds(CANARY_AGE, canary::ageNs);
    }

    private void bindShard(Shard shard, String index) {
        log(LOG_BYTES, shard, index, LogStats::bytes);
        log(LOG_LIVE_BYTES, shard, index, LogStats::liveBytes);
        log(LOG_SEGMENTS, shard, index, LogStats::segments);
        log(LOG_RELOCATED_BYTES, shard, index, LogStats::relocatedBytes);
        log(LOG_FREED_SEGMENTS, shard, index, LogStats::freedSegments);
        log(DISK_FREE_BYTES, shard, index, LogStats::freeDiskBytes);
        meters.bind(READ_ONLY, () -> shard.writeState().writable() ? 0 : 1, index);
        meters.bind(MAILBOX_DEPTH, () -> shard.mailbox().depth(), index);
    }

    private void log(Metric metric, Shard shard, String index, ToLongFunction<LogStats> figure) {
        meters.bind(metric, () -> figure.applyAsLong(shard.logStats()), index);
    }

    private void count(Metric metric, Function<ShardCounters, LongAdder> counter, String... labels) {
        meters.bind(metric, () -> sum(counter), labels);
    }

    private long sum(Function<ShardCounters, LongAdder> counter) {
        return shards.stream()
                .mapToLong(shard -> counter.apply(shard.counters()).sum())
                .sum();
    }
}
