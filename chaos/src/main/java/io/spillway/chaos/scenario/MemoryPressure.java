package io.spillway.chaos.scenario;

import io.spillway.chaos.clients.Groups;
import io.spillway.chaos.clients.MachineFiles;
import io.spillway.chaos.history.Event;
import java.util.List;
import java.util.Map;

/** The machine of a Rust consumer stalls for memory; then there is hardly any left for it. */
final class MemoryPressure implements Scenario {
    /** One report, and a look at what came of it. */
    private static final long AT_ONCE_MS = 1_500;
    /** Time to settle what it had when it said so. */
    private static final long IN_HAND_MS = 2_000;

    private static final long NOTHING_MS = 5_000;
    private static final long READY_MS = 16_000;
    private static final List<String> CLIENTS = List.of("rust", "go", "go-2");

    @Override
    public int number() {
        return 6;
    }

    @Override
    public String name() {
        return "memory-pressure";
    }

    @Override
    public Setup setup() {
        return Setup.of(Net.ANY, CLIENTS.toArray(String[]::new));
    }

    @Override
    public void play(Stage stage) throws InterruptedException {
        MachineFiles machine = new MachineFiles(stage.directory().resolve("machine"));
        Map<String, Object> terms = Map.of("health_root", machine.root().toString());
        try (SickTrio group = new SickTrio(stage, CLIENTS, terms)) {
            group.begin();
            machine.stalls(40, 10);
            stage.injected("rust's machine stalls for memory: some 40 %, full 10 %");
            long badNs = group.becomes("DEGRADED", "MEMORY", SickTrio.TOLD_MS);
            group.expectsLessFrom(badNs);

            machine.memory(97);
            stage.injected("97 % of rust's memory are used");
            long criticalNs = group.becomes("CRITICAL", "MEMORY", AT_ONCE_MS);
            group.expectsStandbyWithin(SickTrio.DRAIN_MS, criticalNs);
            group.sleepUntil(criticalNs, IN_HAND_MS);
            long fromNs = stage.history().nowNs();
            stage.sleep(NOTHING_MS);
            long got = group.got(Groups.SHARED, "rust", fromNs) + group.got(Groups.ORDERED, "rust", fromNs);
            stage.expect("nothing new is delivered to it", got + " records", got == 0);
            long again = stage.events(Event.Delivered.class, badNs)
                    .filter(one -> one.attempt() > 1)
                    .count();
            stage.expect(
                    "what it has it finishes: nothing comes a second time", again + " second attempts", again == 0);

            machine.memory(10);
            machine.stalls(0, 0);
            stage.injected("there is memory again");
            group.expectsItsShareBack(READY_MS);
            group.expectsOneFall("MEMORY");
        }
    }
}
