package io.spillway.broker;

import static io.spillway.broker.metrics.MetricNames.*;

import io.spillway.broker.catalog.Switches;
import io.spillway.broker.flow.Pressures;
import io.spillway.broker.log.LogStats;
import io.spillway.broker.metrics.Meters;
import io.spillway.broker.metrics.Metric;
import io.spillway.broker.session.Degradation;
import io.spillway.broker.session.PressureMonitor;
import io.spillway.broker.session.SessionContext;
import io.spillway.broker.shard.Shard;
import io.spillway.broker.shard.ShardCounters;
import io.spillway.broker.transport.BrokerServer;
import io.spillway.protocol.v1.PressureReason;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.Function;
import java.util.function.ToLongFunction;

/** Binds what the broker counts to its metrics; the hot paths only add to their counters. */
final class BrokerMetrics {
    private final Meters meters;
    private final List<Shard> shards;

    BrokerMetrics(Meters meters, List<Shard> shards) {
        this.meters = meters;
        this.shards = shards;
    }

    void bind(String version, BrokerServer server, SessionContext context) {
        meters.bind(BUILD, () -> 1, version, Runtime.version().toString());
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
        meters.bind(REQUESTS_DENIED, () -> security.security().denials().denied());
        meters.bind(FILES_NOT_RELOADED, security::reloadFailures);
        meters.bind(CERTIFICATE_ENDS, security::certificateEndsS);
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
