package io.spillway.broker;

import static io.spillway.broker.metrics.MetricNames.*;

import io.micrometer.core.instrument.FunctionCounter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Tags;
import io.spillway.broker.shard.Shard;
import io.spillway.broker.shard.ShardCounters;
import java.util.List;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.Function;
import java.util.function.ToDoubleFunction;

/** Binds what the broker counts to the registry; the hot paths only add to their counters. */
final class BrokerMetrics {
    private final MeterRegistry registry;
    private final List<Shard> shards;

    private BrokerMetrics(MeterRegistry registry, List<Shard> shards) {
        this.registry = registry;
        this.shards = shards;
    }

    static void bind(MeterRegistry registry, List<Shard> shards, String version) {
        BrokerMetrics metrics = new BrokerMetrics(registry, shards);
        Gauge.builder(BUILD_INFO, () -> 1)
                .tags(Tags.of("version", version, "java", Runtime.version().toString()))
                .register(registry);
        metrics.bindPublish();
        metrics.bindConsume();
        metrics.bindLog();
        Gauge.builder(
                        HEAP_BYTES,
                        () -> Runtime.getRuntime().totalMemory()
                                - Runtime.getRuntime().freeMemory())
                .register(registry);
    }

    private void bindPublish() {
        count(PUBLISHED_BATCHES, Tags.empty(), counters -> counters.publishedBatches);
        count(PUBLISHED_RECORDS, Tags.empty(), counters -> counters.publishedRecords);
        count(PUBLISHED_BYTES, Tags.empty(), counters -> counters.publishedBytes);
        count(PUBLISH_DUPLICATES, Tags.of("by", "sequence"), counters -> counters.duplicateBatches);
        count(PUBLISH_DUPLICATES, Tags.of("by", "key"), counters -> counters.duplicateKeys);
        count(PUBLISH_REFUSED, Tags.empty(), counters -> counters.refusedPublishes);
        count(KEY_CONFLICTS, Tags.empty(), counters -> counters.keyConflicts);
    }

    private void bindConsume() {
        count(DELIVERED_BATCHES, Tags.empty(), counters -> counters.deliveredBatches);
        count(DELIVERED_RECORDS, Tags.empty(), counters -> counters.deliveredRecords);
        count(DELIVERED_BYTES, Tags.empty(), counters -> counters.deliveredBytes);
        count(REDELIVERED_RECORDS, Tags.empty(), counters -> counters.redeliveredRecords);
        count(SETTLED_RECORDS, Tags.of("outcome", "accepted"), counters -> counters.accepted);
        count(SETTLED_RECORDS, Tags.of("outcome", "nacked"), counters -> counters.nacked);
        count(SETTLED_RECORDS, Tags.of("outcome", "released"), counters -> counters.released);
        count(SETTLED_RECORDS, Tags.of("outcome", "expired"), counters -> counters.leasesExpired);
        count(SETTLED_RECORDS, Tags.of("outcome", "lost"), counters -> counters.leasesLost);
        count(DEAD_LETTERS, Tags.empty(), counters -> counters.deadLetters);
    }

    private void bindLog() {
        count(CORRUPT_BATCHES, Tags.empty(), counters -> counters.corruptBatches);
        count(SYNCS, Tags.empty(), counters -> counters.syncs);
        count(SNAPSHOTS, Tags.empty(), counters -> counters.snapshots);
        sum(SYNC_SECONDS, Tags.empty(), shard -> shard.counters().syncNanos.sum() / 1e9);
        Gauge.builder(
                        MAILBOX_DEPTH,
                        shards,
                        all -> all.stream()
                                .mapToInt(shard -> shard.mailbox().depth())
                                .sum())
                .register(registry);
        Gauge.builder(
                        READ_ONLY,
                        shards,
                        all -> all.stream().allMatch(shard -> shard.writeState().writable()) ? 0 : 1)
                .register(registry);
    }

    private void count(String name, Tags tags, Function<ShardCounters, LongAdder> counter) {
        sum(name, tags, shard -> counter.apply(shard.counters()).sum());
    }

    private void sum(String name, Tags tags, ToDoubleFunction<Shard> value) {
        FunctionCounter.builder(
                        name, shards, all -> all.stream().mapToDouble(value).sum())
                .tags(tags)
                .register(registry);
    }
}
