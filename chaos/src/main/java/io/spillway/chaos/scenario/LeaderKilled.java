package io.spillway.chaos.scenario;

import io.spillway.chaos.clients.Client;
import io.spillway.chaos.clients.Counts;
import io.spillway.chaos.clients.Writer;
import io.spillway.chaos.cluster.Cluster;
import io.spillway.chaos.cluster.Node;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;

/** The leader dies while Go and Rust write 2,000 records a second each. */
final class LeaderKilled implements Scenario {
    private static final long ELECTION_MS = 5_000;
    private static final double LATENCY_MS = 10_000;
    /** Calls of about 200 records, ten a second. */
    static final Writer.Pace PACE = new Writer.Pace(16, 24, 2, 100, 30_000);

    @Override
    public int number() {
        return 1;
    }

    @Override
    public String name() {
        return "leader-killed";
    }

    @Override
    public Setup setup() {
        return Setup.of(Net.ANY, "go", "rust");
    }

    @Override
    public void play(Stage stage) throws InterruptedException {
        List<Client> clients = stage.writersAndReaders(PACE);
        long calmNs = stage.history().nowNs();
        stage.sleep(stage.ms(8_000, 3_000));
        List<Counts> before = clients.stream().map(Client::counts).toList();
        long killedNs = stage.history().nowNs();

        Node leader = stage.leader();
        leader.kill9();
        stage.injected("kill -9 of " + leader.id() + ", the leader, at " + rates(stage, clients, calmNs, killedNs));
        long electedMs = stage.until(
                60_000,
                () -> stage.cluster().leader().filter(next -> next != leader).isPresent());
        stage.expectWithin("a new leader", ELECTION_MS, electedMs);
        stage.sleep(stage.ms(10_000, 3_000));
        leader.start();
        stage.injected("started again");
        Cluster.await(60_000, stage.cluster()::isWhole);
        stage.sleep(stage.ms(8_000, 2_000));
        List<Counts> after = clients.stream().map(Client::counts).toList();
        stage.end();

        for (int i = 0; i < clients.size(); i++) {
            String name = clients.get(i).name();
            var events = stage.history().events();
            Outcomes calm = new Outcomes(events, name, calmNs, killedNs);
            Outcomes all = new Outcomes(events, name, calmNs, Long.MAX_VALUE);
            stage.expect(name + ": nothing fails, DUPLICATE is told", all.toString(), all.failed() == 0);
            stage.expect(
                    name + ": publish latency at most " + Stage.seconds((long) LATENCY_MS),
                    String.format(
                            Locale.ROOT, "max %.1f s (before it: p99 %.0f ms)", all.maxMs() / 1e3, calm.latencyMs(990)),
                    all.maxMs() <= LATENCY_MS);
            Counts since = after.get(i).since(before.get(i));
            stage.expect(
                    name + ": at most 10 % of batches are sent again",
                    since.resent() + " of " + since.sent() + ", " + since.connected() + " connects",
                    since.resent() * 10 <= since.sent());
        }
        stage.notRun("14 tokens a reconnect; breaker OPEN, then CLOSED by a probe", Unseen.BREAKER);
    }

    /** What they wrote, of the 2,000 a second that they would have if the machine let them. */
    private static String rates(Stage stage, List<Client> clients, long fromNs, long toNs) {
        return clients.stream()
                .map(client -> new Outcomes(stage.history().events(), client.name(), fromNs, toNs).acked())
                .map(acked -> String.format(Locale.ROOT, "%,.0f", acked * 1e9 / (toNs - fromNs)))
                .collect(Collectors.joining(" and ", "", " records/s from Go and Rust"));
    }
}
