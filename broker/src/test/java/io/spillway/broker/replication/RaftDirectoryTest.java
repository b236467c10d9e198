package io.spillway.broker.replication;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What is read of the cluster's log before Ratis opens it, and how a node comes back that has lost it. */
class RaftDirectoryTest {
    private static final int SEGMENT_BYTES = 4 << 10;
    private static final long SEED = Long.getLong("spillway.seed", System.nanoTime());

    @TempDir
    Path dir;

    private TestCluster cluster() {
        return new TestCluster(dir, config -> config.withLog(1 << 20, SEGMENT_BYTES));
    }

    private static RaftDirectory.Found inspect(TestCluster cluster, String id) throws IOException {
        ReplicationConfig config = cluster.config(id);
        return RaftDirectory.inspect(config.dir(), config.cluster(), id);
    }

    private static Path current(TestCluster cluster, String id) throws IOException {
        ReplicationConfig config = cluster.config(id);
        return RaftDirectory.group(config.dir(), config.cluster()).orElseThrow().resolve("current");
    }

    private static List<Path> segments(TestCluster cluster, String id) throws IOException {
        try (Stream<Path> files = Files.list(current(cluster, id))) {
            return files.filter(file -> file.getFileName().toString().startsWith("log_"))
                    .sorted(Comparator.comparingLong(RaftDirectoryTest::first))
                    .toList();
        }
    }

    private static long first(Path segment) {
        String name = segment.getFileName().toString();
        return Long.parseLong(
                name.replace("log_inprogress_", "").replace("log_", "").replaceAll("-.*", ""));
    }

    private static void flip(Path file, long at) throws IOException {
        try (RandomAccessFile bytes = new RandomAccessFile(file.toFile(), "rw")) {
            bytes.seek(at);
            int old = bytes.read();
            bytes.seek(at);
            bytes.write(old ^ 0x10);
        }
    }

    @Test
    void aDirectoryThatIsNotThereIsNobodys() throws IOException {
        assertThat(RaftDirectory.inspect(dir.resolve("none"), "spillway", "n1").exists())
                .isFalse();
    }

    @Test
    void aDirectoryTellsWhichClusterItIsOf() throws IOException {
        ClusterId drawn = ClusterId.drawn("spillway");
        assertThat(ClusterId.drawn("spillway")).isNotEqualTo(drawn);
        assertThat(RaftDirectory.id(dir.resolve("none"), "spillway")).isEmpty();
        Path young = Files.createDirectories(dir.resolve("young"));
        Files.createDirectories(young.resolve(drawn.toString()));
        assertThat(RaftDirectory.id(young, "spillway")).hasValue(drawn);
        // As it was before there were ids.
        Path old = Files.createDirectories(dir.resolve("old"));
        Files.createDirectories(old.resolve("b628c62f-a203-3dbd-b8d5-2ebe13024374"));
        assertThat(RaftDirectory.id(old, "spillway")).hasValue(ClusterId.ofName("spillway"));

        assertThatThrownBy(() -> RaftDirectory.id(young, "other"))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("which is not named other");
        Files.createDirectories(young.resolve(ClusterId.drawn("spillway").toString()));
        assertThatThrownBy(() -> RaftDirectory.id(young, "spillway"))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("more than one cluster");
    }

    @Test
    void aSoundDirectorySaysWhereItsLogBeginsAndEndsAndWhoElseThereIs() throws Exception {
        try (TestCluster cluster = cluster().ofThree()) {
            cluster.awaitTexts(cluster.propose("a", 300));
            long last = cluster.node("n2").status().last();
            cluster.close("n2");

            RaftDirectory.Found found = inspect(cluster, "n2");

            assertThat(found.damage()).isEmpty();
            assertThat(found.first()).isZero();
            assertThat(found.last()).isEqualTo(last);
            assertThat(found.members()).extracting(Peer::id).containsExactlyInAnyOrder("n1", "n3");
        }
    }

    /** Any byte of any segment: the checksums cover all of them. */
    @Test
    void aBitThatFlippedAnywhereIsFound() throws Exception {
        try (TestCluster cluster = cluster().ofThree()) {
            cluster.awaitTexts(cluster.propose("a", 300));
            cluster.close("n2");
            SplittableRandom random = new SplittableRandom(SEED);
            List<Path> segments = segments(cluster, "n2");
            long last = inspect(cluster, "n2").last();
            for (int round = 0; round < 200; round++) {
                Path segment = segments.get(random.nextInt(segments.size()));
                long end = RaftSegmentScan.run(segment, first(segment)).end();
                long at = random.nextLong(end);
                flip(segment, at);

                RaftSegmentScan scan = RaftSegmentScan.run(segment, first(segment));

                assertThat(scan.damage())
                        .as("seed %d, byte %d of %s", SEED, at, segment)
                        .isNotEmpty();
                flip(segment, at);
            }
            assertThat(inspect(cluster, "n2").last()).isEqualTo(last);
        }
    }

    @Test
    void aLastEntryThatWasNotWrittenWholeIsCutOffAndKept() throws Exception {
        try (TestCluster cluster = cluster().ofThree()) {
            cluster.awaitTexts(cluster.propose("a", 10));
            cluster.close("n2");
            long last = inspect(cluster, "n2").last();
            List<Path> segments = segments(cluster, "n2");
            Path open = segments.get(segments.size() - 1);
            try (RandomAccessFile file = new RandomAccessFile(open.toFile(), "rw")) {
                file.seek(RaftSegmentScan.run(open, first(open)).end());
                file.write(new byte[] {20, 1, 2, 3});
            }

            RaftDirectory.Found found = inspect(cluster, "n2");

            assertThat(found.damage()).isEmpty();
            assertThat(found.last()).isEqualTo(last);
            try (Stream<Path> kept = Files.list(cluster.config("n2").dir())) {
                assertThat(kept.filter(file -> file.toString().endsWith(".torn")))
                        .hasSize(1);
            }
            cluster.replica("n2").crash();
            cluster.restart("n2");
            cluster.awaitTexts(cluster.replica("n1").texts());
        }
    }

    @Test
    void whatRatisTakesForAbsentIsDamage() throws Exception {
        try (TestCluster cluster = cluster().ofThree()) {
            cluster.awaitTexts(cluster.propose("a", 300));
            cluster.close("n2");
            Path current = current(cluster, "n2");
            Path middle = segments(cluster, "n2").get(1);

            Files.move(middle, dir.resolve("aside"));
            assertThat(inspect(cluster, "n2").damage()).contains("missing");
            Files.move(dir.resolve("aside"), middle);
            Files.move(current.resolve("raft-meta"), dir.resolve("aside"));
            assertThat(inspect(cluster, "n2").damage()).contains("raft-meta");
            Files.move(dir.resolve("aside"), current.resolve("raft-meta"));
            Files.write(current.resolve("raft-meta.conf"), new byte[] {1, 2, 3});
            assertThat(inspect(cluster, "n2").damage()).contains("raft-meta.conf");
        }
    }

    /** It is forgotten first: until it is taken in again it neither votes nor counts. */
    @Test
    void aVoterThatLostTheClustersLogComesBackAsANewNodeWithWhatItsFilesHold() throws Exception {
        try (TestCluster cluster = cluster().ofThree()) {
            List<String> texts = cluster.propose("a", 300);
            cluster.awaitTexts(texts);
            String lost = cluster.followers().get(0);
            cluster.replica(lost).sync();
            cluster.close(lost);
            Files.move(cluster.config(lost).dir(), dir.resolve("quarantine"));
            String leader = cluster.awaitLeader();
            try (Outsider outsider = new Outsider(cluster.config(lost), Optional.empty())) {
                ClusterStatus seen = TestCluster.get(
                        outsider.status(cluster.config(leader).self().clusterAddress()));
                assertThat(seen.leader()).isNotNull();

                TestCluster.get(outsider.forget(cluster.config(leader).self(), lost));
                TestCluster.get(outsider.forget(cluster.config(leader).self(), lost));
            }
            assertThat(cluster.node(leader).status().nodes())
                    .noneMatch(node -> node.peer().id().equals(lost));
            cluster.reconfigure(
                    lost,
                    config -> config.withSeeds(
                            List.of(cluster.config(leader).self().clusterAddress())));
            cluster.restart(lost);
            cluster.awaitVoters("n1", "n2", "n3");
            texts.addAll(cluster.propose("b", 100));

            cluster.awaitTexts(texts);
            assertThat(cluster.replica(lost).installs()).isZero();
            assertThat(cluster.replica(lost).handed()).as("in both lives").isEqualTo(400);
        }
    }
}
