package io.spillway.bench.endtoend;

import io.spillway.bench.SampleBatch;
import io.spillway.client.Durability;
import io.spillway.client.Producer;
import java.util.Locale;

/** One producer publishes new records, first without and then with an idempotency key for each. */
record KeyedPublishScenario(int recordBytes, Durability durability) implements Scenario {
    private static final String SECTION = "Publishing with a unique idempotency key per record, records/s";

    @Override
    public String name() {
        return String.format(Locale.ROOT, "publish keys %,d B, %s", recordBytes, durability);
    }

    @Override
    public void run(Round round) {
        double without = publish(round, false);
        double with = publish(round, true);
        round.report().add(SECTION, name(), "without", without);
        round.report().add(SECTION, name(), "with", with);
        round.report().add(SECTION, name(), "with of without, %", 100 * with / without);
    }

    private double publish(Round round, boolean keyed) {
        byte[] value = SampleBatch.value(recordBytes);
        try (Topic topic = Topic.create(round.client(), durability);
                Producer producer = topic.producer()) {
            PublishLoad load =
                    keyed ? PublishLoad.withKeys(producer, value) : PublishLoad.ofNewRecords(producer, value);
            ThreadCosts.Costs before = round.costs().now();
            PublishLoad.Outcome outcome = load.forSeconds(round.plan().seconds());
            String row = name() + (keyed ? ", with" : ", without");
            round.addCosts(row, round.costs().now().since(before), outcome.records());
            return outcome.perSecond();
        }
    }
}
