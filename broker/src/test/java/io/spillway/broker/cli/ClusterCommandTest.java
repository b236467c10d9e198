package io.spillway.broker.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import io.spillway.broker.admin.AdminServer;
import io.spillway.broker.admin.ClusterControl;
import io.spillway.broker.admin.FakeCluster;
import io.spillway.broker.admin.Health;
import io.spillway.broker.admin.TestOperated;
import io.spillway.broker.base.ListenAddress;
import io.spillway.broker.replication.ReplicationException;
import io.spillway.broker.replication.ReplicationException.Kind;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(30)
final class ClusterCommandTest {
    private final List<AdminServer> servers = new ArrayList<>();
    private final FakeCluster cluster = new FakeCluster("n2", "n1");

    @AfterEach
    void stop() {
        servers.forEach(AdminServer::close);
    }

    private String serve(@Nullable ClusterControl control) {
        AdminServer server = AdminServer.start(
                new ListenAddress("127.0.0.1", 0),
                () -> new Health(true, true, List.of()),
                new PrometheusMeterRegistry(PrometheusConfig.DEFAULT),
                TestOperated.cluster(control));
        servers.add(server);
        return "127.0.0.1:" + server.address().getPort();
    }

    private static CommandRun run(String http, String... command) {
        List<String> all = new ArrayList<>(List.of("cluster"));
        all.addAll(List.of(command));
        all.addAll(List.of("--http", http));
        return CommandRun.of(all.toArray(String[]::new));
    }

    @Test
    void statusIsATable() {
        CommandRun run = run(serve(cluster), "status");

        assertThat(run.exitCode()).isEqualTo(ExitCode.OK);
        assertThat(run.err()).isEmpty();
        assertThat(run.out()).isEqualTo("""
                cluster: spillway, id c1
                leader:  n1, term 3
                entries: 100 agreed, 99 applied, at n2
                voters:  2, 2 must agree

                NODE  ZONE  ROLE      LAG  LAST CONTACT  CLIENTS         NODES
                n1    a     leader    0    -             127.0.0.1:7401  127.0.0.1:7301
                n2    b     voter     0    0.0 s         127.0.0.1:7402  127.0.0.1:7302
                n3    c     listener  5    0.0 s         127.0.0.1:7403  127.0.0.1:7303

                the loss of one more voter stops the cluster; next: start a node in a third zone
                """);
    }

    @Test
    void statusAsJsonIsOneDocumentWithWarnings() {
        cluster.lag = 5_000;

        CommandRun run = run(serve(cluster), "status", "--output", "json");

        assertThat(run.out())
                .hasLineCount(1)
                .contains("\"leader\":\"n1\"", "\"lag_entries\":5000", "\"warnings\":[\"", "slow: n3");
    }

    @Test
    void aLostQuorumIsSaidAndExitsWithFive() {
        cluster.leader = null;

        CommandRun run = run(serve(cluster), "status");

        assertThat(run.exitCode()).isEqualTo(ExitCode.REFUSED);
        assertThat(run.out()).contains("leader:  none").contains("no leader: the quorum is lost");
    }

    @Test
    void theNextAddressIsAskedWhenOneKnowsNoLeaderOrIsDown() {
        FakeCluster lost = new FakeCluster("n3", "n1");
        lost.leader = null;
        String down = serve(cluster);
        servers.remove(0).close();

        CommandRun run = run(down + "," + serve(lost) + "," + serve(cluster), "status");

        assertThat(run.exitCode()).isEqualTo(ExitCode.OK);
        assertThat(run.out()).contains("at n2");
    }

    @Test
    void zonesShowWhoIsInThemAndWhatTheirLossDoes() {
        CommandRun text = run(serve(cluster), "zones");
        CommandRun json = run(serve(cluster), "zones", "--output", "json");

        assertThat(text.out()).isEqualTo("""
                ZONE  VOTERS  LISTENERS  LEADER  BEHIND  MAX LAG  WITHOUT IT
                a     n1      -          n1      0.0 s   0        stops
                b     n2      -          -       0.0 s   0        stops
                c     -       n3         -       0.1 s   5        goes on
                """);
        assertThat(json.out())
                .hasLineCount(3)
                .endsWith("{\"zone\":\"c\",\"voters\":[],\"listeners\":[\"n3\"],\"leader\":false,"
                        + "\"lag_ms\":50,\"max_lag_entries\":5,\"goes_on_without\":true}\n");
    }

    @Test
    void changesAreAskedForAndSaidWhenDone() {
        cluster.change.complete(null);
        String http = serve(cluster);

        assertThat(run(http, "transfer-leader", "n2", "--timeout", "7s").out()).isEqualTo("node n2 leads\n");
        assertThat(run(http, "promote-listener", "n3").out()).isEqualTo("node n3 votes\n");
        assertThat(run(http, "remove-node", "n3").out()).isEqualTo("node n3 is out of the cluster\n");
        CommandRun added = run(
                http,
                "add-node",
                "n4",
                "--zone",
                "d",
                "--cluster-address",
                "[::1]:1",
                "--client-address",
                "h:2",
                "--output",
                "json");

        assertThat(added.out()).isEqualTo("{\"done\":\"add\",\"node\":\"n4\"}\n");
        assertThat(cluster.asked)
                .containsExactly("transfer n2 7000", "promote n3", "remove n3", "add n4 d [::1]:1 h:2");
    }

    @Test
    void whatTheClusterRefusesIsOneLine() {
        cluster.change = CompletableFuture.failedFuture(new ReplicationException(Kind.REFUSED, "the node n1 leads"));

        CommandRun run = run(serve(cluster), "remove-node", "n1");

        assertThat(run.exitCode()).isEqualTo(ExitCode.FAILURE);
        assertThat(run.err())
                .isEqualTo("error: WRONG_STATE: node n1 is not removed; cause: the node n1 leads; next: "
                        + "spillway cluster transfer-leader to another voter, then again\n");
    }

    /** The system takes the connection; nobody ever answers the request. */
    @Test
    void aChangeThatIsNeverAnsweredMayHaveBeenDone() throws IOException {
        try (ServerSocket silent = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            CommandRun run = run("127.0.0.1:" + silent.getLocalPort(), "remove-node", "n3", "--timeout", "300ms");

            assertThat(run.exitCode()).isEqualTo(ExitCode.UNREACHABLE);
            assertThat(run.err()).startsWith("error: OUTCOME_UNKNOWN: whether it was done is not known; cause: ");
        }
    }

    @Test
    void aBrokerThatStandsAloneIsNotFoundAsACluster() {
        CommandRun run = run(serve(null), "status");

        assertThat(run.exitCode()).isEqualTo(ExitCode.NOT_FOUND);
        assertThat(run.err()).startsWith("error: NOT_FOUND: this broker is in no cluster; cause: ");
    }
}
