package io.spillway.chaos.scenario;

import io.spillway.chaos.clients.Client;
import io.spillway.chaos.clients.Counts;
import io.spillway.chaos.clients.Writer;
import io.spillway.chaos.cluster.Node;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/** All nodes are stopped in order and started again, one after the other, under load. */
final class RollingRestart implements Scenario {
    private static final double LATENCY_MS = 10_000;
    private static final Writer.Pace PACE = new Writer.Pace(8, 12, 2, 100, 30_000);

    @Override
    public int number() {
        return 12;
    }

    @Override
    public String name() {
        return "rolling-upgrade";
    }

    @Override
    public Setup setup() {
        return Setup.of(Net.ANY, "go", "rust").with(new Node.Terms(Map.of("drain-timeout-ms", "8s"), Map.of()));
    }

    @Override
    public void play(Stage stage) throws InterruptedException {
        List<Client> clients = stage.writersAndReaders(PACE);
        stage.sleep(stage.ms(8_000, 2_000));
        List<Counts> before = clients.stream().map(Client::counts).toList();
        Node leader = stage.leader();
        List<Node> order = new ArrayList<>(stage.cluster().nodes());
        order.remove(leader);
        order.add(leader);
        stage.injected("SIGTERM and a start of each node, the leader last");
        boolean inOrder = true;
        boolean whole = true;
        for (Node node : order) {
            inOrder &= node.terminate();
            node.start();
            whole &= stage.until(60_000, stage.cluster()::isWhole) >= 0;
            stage.say(node.id() + " is back");
        }
        stage.expect(
                "each node ends in order, and all are whole before the next one",
                inOrder + ", " + whole,
                inOrder && whole);
        stage.sleep(stage.ms(3_000, 1_000));
        List<Counts> after = clients.stream().map(Client::counts).toList();
        stage.end();
        for (int i = 0; i < clients.size(); i++) {
            String name = clients.get(i).name();
            Outcomes outcomes = new Outcomes(stage.history().events(), name, 0, Long.MAX_VALUE);
            stage.expect(name + ": no FAILED calls", outcomes.toString(), outcomes.failed() == 0);
            stage.expect(
                    name + ": publish latency at most " + Stage.seconds((long) LATENCY_MS),
                    Stage.seconds((long) outcomes.maxMs()),
                    outcomes.maxMs() <= LATENCY_MS);
            Counts since = after.get(i).since(before.get(i));
            stage.expect(
                    name + ": goes elsewhere on GoAway, at most twice a restart",
                    since.connected() + " connects",
                    since.connected() <= 2L * order.size());
        }
        Stream.of("v1 to v2, an old Go client", "unknown frames are counted, an unknown SAFE code is retried")
                .forEach(what -> stage.notRun(what, "there is no released version yet"));
    }
}
