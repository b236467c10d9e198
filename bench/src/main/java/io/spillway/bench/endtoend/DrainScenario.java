package io.spillway.bench.endtoend;

import io.spillway.bench.RawChronicle;
import io.spillway.bench.SampleBatch;
import io.spillway.client.Durability;
import io.spillway.client.Producer;
import io.spillway.client.Subscription;
import java.util.Locale;
import java.util.concurrent.TimeoutException;

/** A backlog is consumed; the time is from before the subscription is opened until after the last message or ack. */
record DrainScenario(int recordBytes, Consumption consumption) implements Scenario {
    @Override
    public String name() {
        return String.format(Locale.ROOT, "drain %,d B %s", recordBytes, consumption.words());
    }

    @Override
    public void run(Round round) throws TimeoutException {
        long records = round.plan().drainRecords();
        double seconds;
        round.batchSizes().averageAndReset();
        try (Topic topic = Topic.create(round.client(), Durability.MAPPED)) {
            try (Producer producer = topic.producer()) {
                new PublishLoad(producer, SampleBatch.value(recordBytes)).records(records);
            }
            ThreadCosts.Costs before = round.costs().now();
            long startNs = System.nanoTime();
            try (Subscription subscription = consumption.open(round.client(), topic.name())) {
                consumption.consume(subscription, () -> records, Consumption::look);
                seconds = (System.nanoTime() - startNs) / 1e9;
            }
            round.addCosts(name(), round.costs().now().since(before), records);
        }
        int perBatch = round.batchSizes().averageAndReset();
        double raw;
        try (RawChronicle log = new RawChronicle(round.directory().resolve("raw"));
                RawLoad load = new RawLoad(log, perBatch, recordBytes)) {
            load.append(records, false);
            raw = load.read(records);
        }
        round.addThroughput(name(), records / seconds, raw, perBatch);
    }
}
