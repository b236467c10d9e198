package io.spillway.chaos.scenario;

import io.spillway.chaos.clients.Client;
import io.spillway.chaos.clients.Groups;
import io.spillway.chaos.clients.Reader;
import io.spillway.chaos.clients.Writer;
import io.spillway.chaos.cluster.Node;
import io.spillway.chaos.history.Event;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/** A member of a group stands still for a minute, and its connection stays. */
final class StoppedConsumer implements Scenario {
    private static final String VICTIM = "rust";
    private static final int LEASE_MS = 3_000;
    /** The lease, and what the broker needs to see three of them end. */
    private static final long EJECTED_MS = LEASE_MS + 3_000;

    /** Of the connections: they stay while a client stands still. */
    private static final int HEARTBEAT_MS = 60_000;

    private static final Writer.Pace PACE = new Writer.Pace(4, 10, 2, 100, 30_000);

    @Override
    public int number() {
        return 7;
    }

    @Override
    public String name() {
        return "stopped-consumer";
    }

    @Override
    public Setup setup() {
        return Setup.of(Net.ANY, "go", VICTIM, "go-2")
                .with(new Node.Terms(Map.of("session.heartbeat-ms", HEARTBEAT_MS + "ms"), Map.of()));
    }

    @Override
    public void play(Stage stage) throws InterruptedException {
        List<Reader> readers = new ArrayList<>();
        List<Client> clients = Stream.of("go", VICTIM, "go-2")
                .map(name -> stage.connect(name, Map.of("heartbeat_ms", HEARTBEAT_MS)))
                .toList();
        stage.clients().create("orders", Map.of());
        // It stops in the middle of its work, mostly, and settles what it has when it goes on.
        Reader.Habits habits = new Reader.Habits(LEASE_MS, 300, (id, attempt) -> false);
        for (Client client : clients) {
            readers.add(stage.clients().read(client, Groups.SHARED, habits));
        }
        stage.clients().write(clients.get(0), PACE, stage.random());
        Client victim = clients.get(1);
        Reader reader = readers.get(1);
        stage.until(
                20_000,
                () -> stage.events(Event.Delivered.class, 0)
                        .anyMatch(one -> one.who().equals(VICTIM)));
        stage.sleep(stage.ms(5_000, 1_000));

        long stopMs = stage.ms(60_000, 12_000);
        long stoppedNs = stage.history().nowNs();
        victim.pause(stage.history());
        stage.injected("SIGSTOP of " + VICTIM + ", one of three members, for " + Stage.seconds(stopMs));
        long ejectedMs = stage.until(stopMs, () -> hears(stage, "to EJECTED"));
        stage.expectWithin("three leases in a row end: ejected", EJECTED_MS, ejectedMs);
        long left = stopMs - (stage.history().nowNs() - stoppedNs) / 1_000_000;
        stage.sleep(Math.max(0, left));
        long redelivered = stage.events(Event.Delivered.class, stoppedNs)
                .filter(one -> one.attempt() > 1 && !one.who().equals(VICTIM))
                .count();
        stage.expect("what it held is delivered to others", redelivered + " messages", redelivered > 0);

        long resumedNs = stage.history().nowNs();
        victim.resume();
        stage.injected("SIGCONT");
        long lostMs = stage.until(20_000, () -> reader.lost() > 0);
        stage.expect(
                "its acks are late: LEASE_LOST, its listener hears it",
                reader.lost() + " leases after " + Stage.seconds(lostMs),
                lostMs >= 0);
        stage.until(60_000, () -> hears(stage, "PROBING to READY"));
        stage.expect(
                "probing, then a growing share", changes(stage), changes(stage).endsWith("PROBING to READY"));
        long again = stage.until(
                20_000,
                () -> stage.events(Event.Delivered.class, resumedNs)
                        .anyMatch(one -> one.who().equals(VICTIM)));
        stage.expectWithin("it gets messages again", 20_000, again);
    }

    private static boolean hears(Stage stage, String what) {
        return stage.said("consumer_health").stream()
                .anyMatch(event -> event.get("what").endsWith(what));
    }

    private static String changes(Stage stage) {
        return String.join(
                ", ",
                stage.said("consumer_health").stream()
                        .map(event -> event.get("what"))
                        .toList());
    }
}
