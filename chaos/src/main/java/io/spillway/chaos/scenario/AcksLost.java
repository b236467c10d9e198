package io.spillway.chaos.scenario;

import io.spillway.chaos.check.Violation;
import io.spillway.chaos.clients.Client;
import io.spillway.chaos.clients.Writer;
import io.spillway.chaos.cluster.Node;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** What the leader sends does not reach the clients for 8 s; what they send arrives. */
final class AcksLost implements Scenario {
    private static final long CUT_MS = 8_000;
    /** Three heartbeats of a second, or the limit of an attempt. */
    private static final long NOTICED_MS = 5_000;

    private static final Writer.Pace PACE = new Writer.Pace(4, 10, 2, 50, 30_000);

    @Override
    public int number() {
        return 2;
    }

    @Override
    public String name() {
        return "acks-lost";
    }

    @Override
    public Setup setup() {
        return Setup.of(Net.ANY, "go", "rust");
    }

    @Override
    public void play(Stage stage) throws InterruptedException {
        List<Client> clients = stage.writersAndReaders(PACE);
        stage.sleep(stage.ms(5_000, 2_000));

        Node leader = stage.leader();
        Map<Client, Long> disconnected = new LinkedHashMap<>();
        clients.forEach(client -> disconnected.put(client, client.counts().disconnected()));
        clients.forEach(client -> stage.network().cut(leader.id(), client.name()));
        long cutNs = stage.history().nowNs();
        stage.injected("clients do not hear " + leader.id() + ", the leader, for " + Stage.seconds(CUT_MS));
        Map<String, Long> noticedMs = new LinkedHashMap<>();
        while (stage.history().nowNs() - cutNs < CUT_MS * 1_000_000) {
            disconnected.forEach((client, count) -> {
                if (!noticedMs.containsKey(client.name()) && client.counts().disconnected() > count) {
                    noticedMs.put(client.name(), (stage.history().nowNs() - cutNs) / 1_000_000);
                }
            });
            stage.sleep(100);
        }
        stage.network().heal();
        long healedNs = stage.history().nowNs();
        stage.say("healed");
        for (Client client : clients) {
            stage.expectWithin(client.name() + " notices", NOTICED_MS, noticedMs.getOrDefault(client.name(), -1L));
            long goesOnMs = stage.until(30_000, () -> stage.writes(client, healedNs));
            stage.expectWithin(client.name() + ": acks come again", 10_000, goesOnMs);
        }
        stage.sleep(stage.ms(5_000, 1_000));

        Map<String, List<Violation>> violations = stage.end();
        for (Client client : clients) {
            Outcomes outcomes = new Outcomes(stage.history().events(), client.name(), 0, Long.MAX_VALUE);
            stage.expect(
                    client.name() + ": ACKED, DUPLICATE, or OUTCOME_UNKNOWN at the deadline; no other failure",
                    outcomes.toString(),
                    outcomes.failed() == outcomes.unknown());
        }
        int wrong = violations
                .getOrDefault("what was refused is not stored", List.of())
                .size();
        stage.expect("no record is FAILED and in the log", Integer.toString(wrong), wrong == 0);
        int twice =
                violations.getOrDefault("nothing is stored twice", List.of()).size();
        stage.expect("no record is in the log twice", Integer.toString(twice), twice == 0);
    }
}
