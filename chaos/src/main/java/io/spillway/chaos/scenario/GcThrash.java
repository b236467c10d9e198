package io.spillway.chaos.scenario;

import java.util.List;
import java.util.Map;

/** The collector of a Go consumer never rests. */
final class GcThrash implements Scenario {
    /** How long a member is DEGRADED before another takes over. */
    private static final long DEGRADED_MS = 10_000;
    /** Five good samples and three good reports, and as much again. */
    private static final long READY_MS = 16_000;

    private static final List<String> CLIENTS = List.of("go", "go-2", "go-3");

    @Override
    public int number() {
        return 5;
    }

    @Override
    public String name() {
        return "gc-thrash";
    }

    @Override
    public Setup setup() {
        return Setup.of(Net.ANY, CLIENTS.toArray(String[]::new));
    }

    @Override
    public void play(Stage stage) throws InterruptedException {
        try (SickTrio group = new SickTrio(stage, CLIENTS, Map.of())) {
            group.begin();
            group.sick().churn();
            stage.injected("go allocates without end under a limit of 64 MiB");
            long badNs = group.becomes("DEGRADED", "GC", SickTrio.TOLD_MS);
            group.expectsLessFrom(badNs);
            group.expectsStandbyWithin(DEGRADED_MS + SickTrio.DRAIN_MS, badNs);
            stage.sleep(stage.ms(40_000, 5_000));

            group.sick().calm();
            stage.injected("it rests");
            group.expectsItsShareBack(READY_MS);
            group.expectsOneFall("GC");
        }
    }
}
