package io.spillway.bench.endtoend;

import io.spillway.bench.RawChronicle;
import io.spillway.bench.SampleBatch;
import io.spillway.client.Durability;
import io.spillway.client.Producer;
import io.spillway.client.Subscription;
import java.util.Locale;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;

/** One producer publishes as fast as it can while one consumer follows it; the time ends when the last is consumed. */
record ConsumeScenario(int recordBytes, Durability durability, Consumption consumption) implements Scenario {
    private static final long CATCH_UP_SECONDS = 120;

    @Override
    public String name() {
        return String.format(
                Locale.ROOT, "publish and consume %,d B %s, %s", recordBytes, consumption.words(), durability);
    }

    @Override
    public void run(Round round) throws Exception {
        long records;
        double seconds;
        ExecutorService thread = Executors.newSingleThreadExecutor();
        try (Topic topic = Topic.create(round.client(), durability);
                Producer producer = topic.producer();
                Subscription subscription = consumption.open(round.client(), topic.name())) {
            round.batchSizes().averageAndReset();
            AtomicLong total = new AtomicLong(Long.MAX_VALUE);
            ThreadCosts.Costs before = round.costs().now();
            long startNs = System.nanoTime();
            Future<?> consumed = thread.submit(() -> {
                consumption.consume(subscription, total::get, Consumption::look);
                return null;
            });
            records = new PublishLoad(producer, SampleBatch.value(recordBytes))
                    .forSeconds(round.plan().seconds())
                    .records();
            total.set(records);
            consumed.get(CATCH_UP_SECONDS, TimeUnit.SECONDS);
            seconds = (System.nanoTime() - startNs) / 1e9;
            round.addCosts(name(), round.costs().now().since(before), records);
        } finally {
            thread.shutdownNow();
        }
        int perBatch = round.batchSizes().averageAndReset();
        double raw;
        try (RawChronicle log = new RawChronicle(round.directory().resolve("raw"));
                RawLoad load = new RawLoad(log, perBatch, recordBytes)) {
            raw = load.appendAndRead(records);
        }
        round.addThroughput(name(), records / seconds, raw, perBatch);
    }
}
