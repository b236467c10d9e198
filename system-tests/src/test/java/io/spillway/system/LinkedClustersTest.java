package io.spillway.system;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.spillway.client.Message;
import io.spillway.client.SpillwayClient;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Two clusters of three nodes in processes of their own, one a copy of the other, both of which lose their leaders. */
@Timeout(300)
class LinkedClustersTest {
    private static final Duration PATIENCE = Duration.ofSeconds(90);

    @TempDir
    Path directory;

    private static String http(BrokerCluster cluster) {
        return IntStream.range(0, cluster.size())
                .mapToObj(node -> cluster.node(node).http())
                .collect(Collectors.joining(","));
    }

    private static long end(SpillwayClient client) {
        return client.admin().describeTopic("numbers").partitions().get(0).endOffset();
    }

    @Test
    void aLinkFollowsTheLeadersOfBothSidesAndPromotesWhole() throws Exception {
        try (BrokerCluster source = BrokerCluster.start(Files.createDirectory(directory.resolve("source")), 3);
                BrokerCluster copy = BrokerCluster.start(Files.createDirectory(directory.resolve("copy")), 3);
                SpillwayClient there = source.client();
                SpillwayClient here = copy.client()) {
            there.admin().createTopic("numbers", 1, Map.of());
            Cli created = Cli.run(
                    "link",
                    "create",
                    "l1",
                    "--from",
                    String.join(",", source.endpoints()),
                    "--topics",
                    "numbers",
                    "--http",
                    http(copy));
            assertThat(created.exit()).as(created.err()).isZero();
            try (Numbers numbers = new Numbers(there, "numbers", 0)) {
                await("copied records").atMost(PATIENCE).ignoreExceptions().until(() -> end(here) > 500);
                int leader = copy.leader();
                copy.node(leader).kill9();
                long atDeath = numbers.ackCount();
                await("copied records at the next leader")
                        .atMost(PATIENCE)
                        .ignoreExceptions()
                        .until(() -> end(here) > atDeath);
                copy.node(leader).start();
                int other = source.leader();
                source.node(other).kill9();
                long later = numbers.ackCount();
                await("acks and copies of the next source's leader")
                        .atMost(PATIENCE)
                        .ignoreExceptions()
                        .until(() -> numbers.ackCount() > later + 500 && end(here) > later);
                source.node(other).start();
                numbers.finish();
                assertThat(numbers.failures()).isEmpty();

                Cli promoted = Cli.run("link", "promote", "l1", "--http", http(copy), "--timeout", "50s");
                assertThat(promoted.exit()).as(promoted.err()).isZero();
                Set<Long> copied = new HashSet<>();
                for (Message message : Numbers.readAll(here, "numbers")) {
                    assertThat(copied.add(Numbers.numberOf(message.value())))
                            .as("number of %s is new", message)
                            .isTrue();
                }
                Set<Long> missing = new HashSet<>(numbers.acked());
                missing.removeAll(copied);
                assertThat(missing).isEmpty();
            }
        }
    }
}
