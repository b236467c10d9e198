package io.spillway.bench.endtoend;

import io.spillway.bench.SampleBatch;
import io.spillway.client.Durability;
import io.spillway.client.Producer;
import io.spillway.client.ReplayJob;
import io.spillway.client.ReplayOptions;
import io.spillway.client.ReplayPlan;
import io.spillway.client.ReplaySelection;
import io.spillway.client.ReplayTarget;
import java.util.Locale;
import java.util.Map;

/** The latency of live records while a job copies a backlog into another topic at its own rate. */
record BesideReplayScenario(int perSecond, int replayPerSecond) implements Scenario {
    private static final int RECORD_BYTES = 256;
    private static final int MAPPED_SECONDS_AHEAD = 10;

    @Override
    public String name() {
        return String.format(Locale.ROOT, "%,d/s MAPPED beside a replay of %,d/s", perSecond, replayPerSecond);
    }

    @Override
    public void run(Round round) throws Exception {
        long backlog = (long) replayPerSecond * (round.plan().seconds() + MAPPED_SECONDS_AHEAD);
        try (Topic source = Topic.create(round.client(), Durability.MAPPED);
                Topic target = Topic.create(round.client(), Durability.MAPPED)) {
            round.client().admin().alterTopic(target.name(), Map.of("accepts", "replay"));
            try (Producer producer = source.producer()) {
                new PublishLoad(producer, SampleBatch.value(RECORD_BYTES)).records(backlog);
            }
            ReplayPlan plan = round.client().admin().planReplay(ReplaySelection.of(source.name()));
            ReplayJob job = round.client()
                    .admin()
                    .startReplay(
                            plan.id(),
                            ReplayTarget.topic(target.name()),
                            ReplayOptions.because("benchmark").rate(replayPerSecond));
            new LatencyScenario(perSecond, Durability.MAPPED, Consumption.GROUP).measure(round, name());
            ReplayJob after = round.client().admin().replay(job.id());
            if (after.state() != ReplayJob.State.RUNNING) {
                throw new IllegalStateException("the replay did not last as long as the measurement: " + after);
            }
            round.client().admin().cancelReplay(job.id(), "the measurement is over");
        }
    }
}
