package io.spillway.system;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.spillway.client.SpillwayClient;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** What operators do to a cluster, with the command line, and what it says of that. */
@Timeout(120)
final class OperatedClusterTest {
    private static final Duration PATIENCE = Duration.ofSeconds(30);

    @TempDir
    private Path directory;

    @Test
    void theAuditTellsWhoChangedTheClusterAndWhatCameOfIt() throws Exception {
        try (BrokerCluster cluster = BrokerCluster.start(directory, 3)) {
            String before = "n" + (cluster.leader() + 1);
            String next = before.equals("n2") ? "n3" : "n2";
            String asked = next.equals("n2") ? "n3" : "n2";

            // Asked of a follower, and the leader cannot write that it is none any more.
            assertThat(change(cluster, asked, "transfer-leader", next, "--reason", "kernel update")
                            .exit())
                    .isZero();
            assertThat(change(cluster, next, "remove-node", "n9").exit()).isNotZero();
            assertThat(change(cluster, next, "remove-node", asked).exit()).isZero();

            await("all of the audit")
                    .atMost(PATIENCE)
                    .until(() -> audit(cluster).size() == 6);
            List<String> audit = audit(cluster);
            assertThat(audit.get(0))
                    .contains("\"phase\":\"requested\"", "\"operation\":\"cluster.transfer\"")
                    .contains("\"reason\":\"kernel update\"", " at " + asked + "\"")
                    .contains("\"from\":\"" + before + "\"", "\"to\":\"" + next + "\"");
            String act = audit.get(0).replaceAll(".*\"act\":\"([^\"]*)\".*", "$1");
            assertThat(audit)
                    .as("the next leader wrote the end, under the same act")
                    .anySatisfy(entry -> assertThat(entry)
                            .contains("\"act\":\"" + act + "\"", "\"phase\":\"done\"", "\"who\":\"http 127.0.0.1:"));
            assertThat(audit)
                    .anySatisfy(entry -> assertThat(entry)
                            .contains(
                                    "\"phase\":\"failed\"", "\"operation\":\"cluster.remove\"", "there is no node n9"));
            assertThat(audit)
                    .anySatisfy(entry -> assertThat(entry)
                            .contains("\"phase\":\"done\"", "\"operation\":\"cluster.remove\"")
                            .contains("\"node\":\"" + asked + "\"", "\"from\":\"voter\""));
        }
    }

    @Test
    void whoFormedTheClusterAndLostItsDirectoryIsToldAndComesBackByItsSeeds() throws Exception {
        try (BrokerCluster cluster = BrokerCluster.start(directory, 3);
                SpillwayClient client = cluster.client()) {
            client.admin().createTopic("numbers", 1, Map.of());
            String id = id(cluster, 1);
            cluster.node(0).kill9();
            Files.move(cluster.dataDir(0), directory.resolve("lost"));
            cluster.leader();

            cluster.node(0).start();

            await("the refusal").atMost(PATIENCE).until(() -> cluster.ready(0).contains("knows this node as a member"));
            assertThat(cluster.ready(0))
                    .contains("start it with --seed", "id " + id)
                    .contains("this node takes no part in the cluster any more");
            assertThat(Cli.run("cluster", "status", "--http", cluster.node(0).http())
                            .out())
                    .contains("cluster: spillway, id ", "move its data directory away");
            assertThat(BrokerCluster.serves(cluster.node(0))).isFalse();
            assertThat(client.admin().listTopics())
                    .anyMatch(topic -> topic.name().equals("numbers"));

            cluster.node(0).kill9();
            Files.move(cluster.dataDir(0), directory.resolve("second"));
            try (BrokerProcess again = cluster.again(0, cluster.clusterAddress(1), cluster.clusterAddress(2))) {
                await("n1 to be back").atMost(PATIENCE).until(() -> cluster.isReady(again));
                assertThat(cluster.status(again)).contains("\"cluster_id\":\"" + id + "\"");
            }
        }
    }

    @Test
    void aRemovedNodeSaysSoAndWhatToDo() throws Exception {
        try (BrokerCluster cluster = BrokerCluster.start(directory, 3)) {
            int removed = cluster.leader() == 2 ? 1 : 2;
            assertThat(change(cluster, "n1", "remove-node", "n" + (removed + 1)).exit())
                    .isZero();

            await("the removal")
                    .atMost(PATIENCE)
                    .until(() -> cluster.ready(removed).contains("taken out of the cluster"));
            assertThat(cluster.ready(removed))
                    .contains("stop its process; to take it in again", "\"cause\":\"LEFT_CLUSTER\"");

            cluster.node(removed).kill9();
            cluster.node(removed).start();
            await("the same after a restart")
                    .atMost(PATIENCE)
                    .until(() -> cluster.ready(removed).contains("this node is not in the cluster"));
            assertThat(cluster.ready(removed)).contains("spillway cluster add-node n" + (removed + 1));
        }
    }

    @Test
    void aDiagnosisNamesWhoLeadsWhoIsAwayAndThatTheQuorumIsLost() throws Exception {
        try (BrokerCluster cluster = BrokerCluster.start(directory, 3, "chaos.enabled=true");
                SpillwayClient client = cluster.client()) {
            client.admin().createTopic("orders", 1, Map.of());
            int leader = cluster.leader();
            int away = (leader + 1) % 3;
            int follower = (leader + 2) % 3;
            await("all is well")
                    .atMost(PATIENCE)
                    .until(() ->
                            cluster.get(follower, "/diagnose?scope=cluster").contains("\"cause\":\"WELL\""));
            assertThat(cluster.get(follower, "/diagnose?scope=node"))
                    .contains("\"cause\":\"WELL\"", "it follows n" + (leader + 1));
            await("the topic at the follower")
                    .atMost(PATIENCE)
                    .untilAsserted(() -> assertThat(cluster.get(follower, "/diagnose?topic=orders"))
                            .contains(
                                    "\"cause\":\"NOT_LEADER\"",
                                    cluster.node(leader).wire()));
            assertThat(cluster.get(leader, "/startupz")).isEqualTo("started\n");
            String all =
                    cluster.node(follower).http() + "," + cluster.node(leader).http();
            assertThat(Cli.run("diagnose", "topic", "orders", "--http", all).out())
                    .contains("topic orders: ACCEPTING");
            partForARehearsal(cluster, leader, follower, away);

            cluster.node(away).signal("STOP");
            await("one is missed")
                    .atMost(PATIENCE)
                    .until(() -> cluster.get(leader, "/diagnose").contains("\"cause\":\"NODE_AWAY\""));
            assertThat(cluster.get(leader, "/diagnose"))
                    .contains("\"cause\":\"QUORUM_CRITICAL\"", "n" + (away + 1) + " in zone z" + (away + 1));
            assertThat(cluster.get(leader, "/health?verbose"))
                    .contains("\"check\":\"cluster\",\"severity\":\"WARNING\"");

            cluster.node(follower).kill9();
            await("the quorum is lost")
                    .atMost(PATIENCE)
                    .until(() -> cluster.get(leader, "/diagnose?topic=orders")
                            .matches("(?s).*\"cause\":\"(NO_LEADER|NO_QUORUM)\".*"));
            assertThat(cluster.get(leader, "/startupz"))
                    .as("it has started all the same")
                    .isEqualTo("started\n");
            cluster.node(away).signal("CONT");
        }
    }

    /** One of three may be parted from the others, and no other with it; then all is as before. */
    private static void partForARehearsal(BrokerCluster cluster, int leader, int parted, int other) throws Exception {
        Cli begun = chaos(cluster, parted, "start", "partition", "--peer", "all", "--ttl", "2m", "--reason", "test");
        assertThat(begun.exit()).as(begun.err()).isZero();
        await("it is missed")
                .atMost(PATIENCE)
                .untilAsserted(() -> assertThat(cluster.get(leader, "/diagnose"))
                        .contains("\"cause\":\"NODE_AWAY\"", "n" + (parted + 1) + " in zone", "\"cause\":\"CHAOS\""));
        await("it says that it hears of no leader")
                .atMost(PATIENCE)
                .untilAsserted(() -> assertThat(cluster.get(parted, "/diagnose?scope=node"))
                        .contains("\"cause\":\"CHAOS\"", "partition of peers n", "\"cause\":\"NO_LEADER\""));
        assertThat(cluster.isReady(cluster.node(parted))).isFalse();

        Cli second = chaos(
                cluster, other, "start", "partition", "--peer", "n" + (leader + 1), "--ttl", "2m", "--reason", "test");
        Cli failing = chaos(cluster, leader, "start", "failed-sync", "--ttl", "2m", "--reason", "test");

        assertThat(second.exit()).isNotZero();
        assertThat(second.err()).contains("WRONG_STATE", "would lose its majority", "2 are needed");
        assertThat(failing.exit()).isNotZero();
        assertThat(failing.err()).contains("would lose its majority");
        assertThat(cluster.get(other, "/chaos")).contains("partition of peers n" + (parted + 1));

        assertThat(chaos(cluster, parted, "stop", "--all").exit()).isZero();
        await("all is well again")
                .atMost(PATIENCE)
                .untilAsserted(() -> assertThat(cluster.get(leader, "/diagnose?scope=cluster"))
                        .contains("\"cause\":\"WELL\""));
        await("it is ready again").atMost(PATIENCE).until(() -> cluster.isReady(cluster.node(parted)));
        await("the other sides have ended").atMost(PATIENCE).untilAsserted(() -> {
            assertThat(cluster.get(leader, "/chaos")).contains("\"faults\":[]");
            assertThat(cluster.get(other, "/chaos")).contains("\"faults\":[]");
        });
        Cli audit = Cli.run(
                "audit",
                "--operation",
                "chaos",
                "--output",
                "json",
                "--endpoint",
                String.join(",", cluster.endpoints()));
        assertThat(audit.out())
                .as("what a follower did the leader wrote")
                .contains("\"operation\":\"chaos.start\"", "\"node\":\"n" + (parted + 1) + "\"");
    }

    private static Cli chaos(BrokerCluster cluster, int node, String... command) throws Exception {
        String[] arguments = new String[command.length + 3];
        arguments[0] = "chaos";
        System.arraycopy(command, 0, arguments, 1, command.length);
        arguments[command.length + 1] = "--http";
        arguments[command.length + 2] = cluster.node(node).http();
        return Cli.run(arguments);
    }

    private static String id(BrokerCluster cluster, int node) throws Exception {
        return cluster.status(cluster.node(node)).replaceAll("(?s).*\"cluster_id\":\"([^\"]*)\".*", "$1");
    }

    private static Cli change(BrokerCluster cluster, String at, String... command) throws Exception {
        String[] arguments = new String[command.length + 3];
        arguments[0] = "cluster";
        System.arraycopy(command, 0, arguments, 1, command.length);
        arguments[command.length + 1] = "--http";
        arguments[command.length + 2] = cluster.node(at.charAt(1) - '1').http();
        return Cli.run(arguments);
    }

    private static List<String> audit(BrokerCluster cluster) throws Exception {
        Cli shown = Cli.run(
                "audit",
                "--operation",
                "cluster",
                "--output",
                "json",
                "--endpoint",
                String.join(",", cluster.endpoints()));
        assertThat(shown.exit()).as(shown.err()).isZero();
        return shown.out().lines().toList();
    }
}
