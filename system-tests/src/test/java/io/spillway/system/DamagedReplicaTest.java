package io.spillway.system;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.spillway.client.OutgoingRecord;
import io.spillway.client.Producer;
import io.spillway.client.SpillwayClient;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** One node of three comes back with files that are damaged or gone: it puts them aside and gets them from the leader. */
@Timeout(180)
class DamagedReplicaTest {
    private static final Duration PATIENCE = Duration.ofSeconds(60);

    private static final Pattern CAUSE = Pattern.compile("\"cause\":\"([A-Z_]+)\"");

    @TempDir
    Path directory;

    /** What was wrong with damaged nodes, as they said themselves. */
    private final Set<String> causes = new HashSet<>();

    private interface Damage {
        void to(Path node) throws IOException;
    }

    private static List<Path> files(Path directory, String suffix) throws IOException {
        try (Stream<Path> files = Files.walk(directory)) {
            return files.filter(file -> file.toString().endsWith(suffix))
                    .sorted()
                    .toList();
        }
    }

    private static void flip(Path file, long at) throws IOException {
        try (RandomAccessFile bytes = new RandomAccessFile(file.toFile(), "rw")) {
            bytes.seek(at);
            int old = bytes.read();
            bytes.seek(at);
            bytes.write(old ^ 0x10);
        }
    }

    private static void delete(Path tree) throws IOException {
        try (Stream<Path> files = Files.walk(tree)) {
            for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
                Files.delete(file);
            }
        }
    }

    private static void flipInClosedSegment(Path node) throws IOException {
        Path segment = files(node.resolve("shard-0/segments"), ".cq4").get(0);
        flip(segment, Files.size(segment) / 2);
    }

    private static void flipInNewestSnapshot(Path node) throws IOException {
        List<Path> snapshots = files(node.resolve("shard-0/snapshots"), ".snapshot");
        Path newest = snapshots.get(snapshots.size() - 1);
        flip(newest, Files.size(newest) / 2);
    }

    private static void truncateClosedSegment(Path node) throws IOException {
        Path segment = files(node.resolve("shard-0/segments"), ".cq4").get(0);
        try (RandomAccessFile file = new RandomAccessFile(segment.toFile(), "rw")) {
            file.setLength(file.length() / 2);
        }
    }

    private static void flipInClustersLog(Path node) throws IOException {
        Path segment;
        try (Stream<Path> files = Files.walk(node.resolve("raft"))) {
            segment = files.filter(file -> file.getFileName().toString().startsWith("log_"))
                    .findFirst()
                    .orElseThrow();
        }
        flip(segment, 1_000);
    }

    @Test
    void aNodeWhoseLogIsDamagedGetsItFromTheLeader() throws Exception {
        comesBackFrom(
                DamagedReplicaTest::flipInClosedSegment,
                DamagedReplicaTest::truncateClosedSegment,
                DamagedReplicaTest::flipInNewestSnapshot,
                node -> flip(node.resolve("shard-0/manifest"), 20),
                node -> Files.delete(
                        files(node.resolve("shard-0/segments"), ".cq4").get(0)));
    }

    @Test
    void aNodeWhoseClustersLogIsDamagedIsTakenInAgainAsANewOne() throws Exception {
        comesBackFrom(
                DamagedReplicaTest::flipInClustersLog,
                node -> Files.delete(files(node.resolve("raft"), "raft-meta").get(0)),
                node -> delete(node.resolve("raft")));
    }

    @Test
    @Tag("slow")
    void aNodeWhoseDirectoriesAreGoneGetsThemAnew() throws Exception {
        comesBackFrom(
                node -> delete(node.resolve("shard-0")),
                node -> {
                    delete(node.resolve("shard-0"));
                    delete(node.resolve("raft"));
                },
                DamagedReplicaTest::delete);
    }

    /** One damage after the other, each to another node, and something is published before the next. */
    private void comesBackFrom(Damage... damages) throws Exception {
        try (BrokerCluster cluster = BrokerCluster.start(directory, 3, "log.segment-bytes=2MiB");
                SpillwayClient client = cluster.client()) {
            client.admin().createTopic("numbers", 1, Map.of());
            client.admin().createTopic("more", 1, Map.of());
            try (Numbers numbers = new Numbers(client, "numbers", 0);
                    Producer more = client.producer("more").open()) {
                await("acks").atMost(PATIENCE).until(() -> numbers.ackCount() > 30_000);
                numbers.finish();
                int turn = 0;
                for (Damage damage : damages) {
                    // Never the founder: without its directory it cannot know that it is not to found another cluster.
                    int damaged = 1 + turn++ % 2;
                    BrokerProcess node = cluster.node(damaged);
                    node.terminate();
                    damage.to(cluster.dataDir(damaged));
                    node.start();
                    more.publish(OutgoingRecord.of(Numbers.value(turn))).get(PATIENCE.toSeconds(), TimeUnit.SECONDS);
                    awaitWhole(cluster, damaged);
                }

                ClusterTest.assertEachOnce(client, numbers);
            }
            ClusterTest.stopAll(cluster);
        }
        assertThat(causes).contains("RETURNING", "QUARANTINE");
        TreeMap<Integer, String> first = StoredLog.digest(directory.resolve("n1"));
        assertThat(StoredLog.digest(directory.resolve("n2"))).isEqualTo(first);
        assertThat(StoredLog.digest(directory.resolve("n3"))).isEqualTo(first);
    }

    private void awaitWhole(BrokerCluster cluster, int damaged) {
        await("the node to be ready, and all to vote").atMost(PATIENCE).until(() -> {
            CAUSE.matcher(cluster.get(damaged, "/diagnose?scope=node"))
                    .results()
                    .forEach(found -> causes.add(found.group(1)));
            String status = cluster.status(cluster.node(0));
            return cluster.isReady(cluster.node(damaged)) && status.split("\"VOTER\"", -1).length == 4;
        });
    }
}
