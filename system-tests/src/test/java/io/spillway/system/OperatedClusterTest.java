package io.spillway.system;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
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
