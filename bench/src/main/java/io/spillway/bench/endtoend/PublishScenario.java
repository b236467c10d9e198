package io.spillway.bench.endtoend;

import io.spillway.bench.RawChronicle;
import io.spillway.bench.SampleBatch;
import io.spillway.client.Durability;
import io.spillway.client.Producer;
import java.util.Locale;

/** One producer publishes as fast as acks of that durability come. */
record PublishScenario(int recordBytes, Durability durability) implements Scenario {
    @Override
    public String name() {
        return String.format(Locale.ROOT, "publish %,d B, %s", recordBytes, durability);
    }

    @Override
    public void run(Round round) {
        PublishLoad.Outcome spillway;
        try (Topic topic = Topic.create(round.client(), durability);
                Producer producer = topic.producer()) {
            round.batchSizes().averageAndReset();
            ThreadCosts.Costs before = round.costs().now();
            spillway = new PublishLoad(producer, SampleBatch.value(recordBytes))
                    .forSeconds(round.plan().seconds());
            round.addCosts(name(), round.costs().now().since(before), spillway.records());
        }
        int perBatch = round.batchSizes().averageAndReset();
        double raw;
        try (RawChronicle log = new RawChronicle(round.directory().resolve("raw"));
                RawLoad load = new RawLoad(log, perBatch, recordBytes)) {
            raw = load.append(spillway.records(), durability == Durability.SYNCED);
        }
        round.addThroughput(name(), spillway.perSecond(), raw, perBatch);
    }
}
