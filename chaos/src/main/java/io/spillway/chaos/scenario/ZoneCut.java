package io.spillway.chaos.scenario;

import io.spillway.chaos.clients.Client;
import io.spillway.chaos.clients.Counts;
import io.spillway.chaos.clients.Writer;
import io.spillway.chaos.cluster.Cluster;
import io.spillway.chaos.cluster.Node;
import io.spillway.chaos.history.Event;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** The clients of a zone do not reach its broker, which follows, for two minutes. They read near and write to the leader. */
final class ZoneCut implements Scenario {
    private static final long FAILOVER_MS = 15_000;
    private static final long HOME_MAX_MS = 90_000;
    private static final int CONNECTS_PER_SECOND = 10;
    private static final Writer.Pace PACE = new Writer.Pace(4, 10, 2, 100, 30_000);

    @Override
    public int number() {
        return 11;
    }

    @Override
    public String name() {
        return "zone-cut";
    }

    @Override
    public Setup setup() {
        return Setup.of(Net.ANY, "go", "rust");
    }

    @Override
    public void play(Stage stage) throws InterruptedException {
        Node leader = stage.leader();
        Node home = stage.cluster().nodes().stream()
                .filter(node -> node != leader)
                .findFirst()
                .orElseThrow();
        Map<String, Object> zone = Map.of("zone", home.zone());
        List<Client> clients = List.of(stage.connect("go", zone), stage.connect("rust", zone));
        stage.clients().create("orders", Map.of());
        for (Client client : clients) {
            stage.clients().write(client, PACE, stage.random());
            stage.clients().readNearest(client);
        }
        boolean isHome = Cluster.await(90_000, () -> delivered(stage, home) > 0);
        stage.expect("readers read in their zone", (isHome ? "at " : "not at ") + home.id(), isHome);
        stage.sleep(stage.ms(5_000, 2_000));

        Connects connects = new Connects(clients);
        for (Client client : clients) {
            stage.network().cut(client.name(), home.id());
            stage.network().cut(home.id(), client.name());
        }
        long cutNs = stage.history().nowNs();
        long cutMs = stage.ms(120_000, 20_000);
        stage.injected("clients of " + home.zone() + " | " + home.id() + ", its broker, for " + Stage.seconds(cutMs));
        watch(stage, connects, cutMs);
        for (Client client : clients) {
            stage.expectWithin(client.name() + " reads on in another zone", FAILOVER_MS, gapMs(stage, client, cutNs));
        }
        stage.network().heal();
        stage.injected("healed");
        if (stage.isQuick()) {
            stage.notRun("readers, which look every 60 to 90 s, return within 95 s", "it takes too long for a build");
        } else {
            expectReturn(stage, connects, home);
        }
        stage.expect(
                "no storm: at most " + CONNECTS_PER_SECOND + " connects/s of a process",
                connects.mostPerSecond() + "/s at most, " + connects.total() + " in all",
                connects.mostPerSecond() <= CONNECTS_PER_SECOND);
        stage.end();
        for (Client client : clients) {
            Outcomes outcomes = new Outcomes(stage.history().events(), client.name(), 0, Long.MAX_VALUE);
            stage.expect(
                    client.name() + ": what it writes is not touched, and no ack is degraded",
                    outcomes + String.format(Locale.ROOT, ", max %.1f s", outcomes.maxMs() / 1e3),
                    outcomes.failed() == 0 && stage.events(Event.Acked.class, 0).noneMatch(Event.Acked::degraded));
        }
    }

    private static void watch(Stage stage, Connects connects, long forMs) throws InterruptedException {
        long endNs = System.nanoTime() + forMs * 1_000_000;
        while (System.nanoTime() < endNs) {
            connects.look();
            stage.sleep(250);
        }
    }

    private static void expectReturn(Stage stage, Connects connects, Node home) throws InterruptedException {
        long healedNs = System.nanoTime();
        double before = delivered(stage, home);
        long returnedMs = -1;
        for (long ms = 0; returnedMs < 0 && ms < 2 * HOME_MAX_MS; ms = (System.nanoTime() - healedNs) / 1_000_000) {
            watch(stage, connects, 1_000);
            returnedMs = delivered(stage, home) > before ? ms : -1;
        }
        stage.expectWithin("readers, which look every 60 to 90 s, return", HOME_MAX_MS + 5_000, returnedMs);
    }

    private static double delivered(Stage stage, Node node) {
        return stage.cluster()
                .asking()
                .metric(node, "spillway_delivered_records_total")
                .orElse(0.0);
    }

    /** The longest time without a record of its reader, from this time on. */
    private static long gapMs(Stage stage, Client client, long fromNs) {
        long lastNs = fromNs;
        long gapNs = 0;
        List<Event.Delivered> all = stage.events(Event.Delivered.class, fromNs)
                .filter(one -> one.who().equals(client.name()))
                .toList();
        for (Event.Delivered one : all) {
            gapNs = Math.max(gapNs, one.atNs() - lastNs);
            lastNs = one.atNs();
        }
        return Math.max(gapNs, stage.history().nowNs() - lastNs) / 1_000_000;
    }

    /** How often clients connect, by looking at what they count. */
    private static final class Connects {
        private static final long SECOND_NS = 1_000_000_000;

        private record Look(long atNs, long connects) {}

        private final List<Client> clients;
        private final List<List<Look>> looks = new ArrayList<>();

        Connects(List<Client> clients) {
            this.clients = clients;
            clients.forEach(client -> looks.add(new ArrayList<>()));
            look();
        }

        void look() {
            for (int i = 0; i < clients.size(); i++) {
                Counts counts = clients.get(i).counts();
                // An attempt that fails is told as a disconnect.
                looks.get(i).add(new Look(System.nanoTime(), counts.connected() + counts.disconnected()));
            }
        }

        long total() {
            return looks.stream()
                    .mapToLong(of -> of.get(of.size() - 1).connects - of.get(0).connects)
                    .sum();
        }

        long mostPerSecond() {
            long most = 0;
            for (List<Look> of : looks) {
                for (int i = 0; i < of.size(); i++) {
                    for (int j = i + 1; j < of.size() && of.get(j).atNs - of.get(i).atNs <= SECOND_NS; j++) {
                        most = Math.max(most, of.get(j).connects - of.get(i).connects);
                    }
                }
            }
            return most;
        }
    }
}
