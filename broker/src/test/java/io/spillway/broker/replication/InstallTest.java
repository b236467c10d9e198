package io.spillway.broker.replication;

import static io.spillway.broker.replication.TestCluster.awaiting;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.File;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Nodes that need more than the log has. */
class InstallTest {
    private static final int SEGMENT_BYTES = 4 << 10;

    private static final byte[] HEADER = "RaftLog1".getBytes(StandardCharsets.US_ASCII);

    @TempDir
    Path dir;

    private TestCluster smallLogs() {
        return new TestCluster(dir, config -> config.withLog(0, SEGMENT_BYTES));
    }

    /** Entries until the log of the leader begins later. */
    private static List<String> fillAndPurge(TestCluster cluster) throws Exception {
        String leader = cluster.awaitLeader();
        Path log = cluster.config(leader).dir();
        long before = segments(log);
        List<String> texts = new ArrayList<>(cluster.propose("p", 1_000));
        awaiting("entries at the leader")
                .until(() -> cluster.replica(leader).texts().size() >= texts.size());
        cluster.replica(leader).sync();
        cluster.node(leader).snapshotTaken();
        awaiting("a shorter log").until(() -> segments(log) < Math.max(before, 3));
        return texts;
    }

    private static long segments(Path node) {
        long count = 0;
        for (File group : files(node.toFile())) {
            for (File file : files(new File(group, "current"))) {
                count += file.getName().startsWith("log_") ? 1 : 0;
            }
        }
        return count;
    }

    /** Unlike a walk, it does not mind files that go meanwhile. */
    private static File[] files(File directory) {
        File[] files = directory.listFiles();
        return files == null ? new File[0] : files;
    }

    @Test
    void aNewNodeInstallsWhatHasLeftTheLog() throws Exception {
        try (TestCluster cluster = smallLogs()) {
            cluster.start("n1", "a");
            List<String> texts = fillAndPurge(cluster);

            cluster.start("n2", "b");
            cluster.awaitVoters("n1", "n2");
            texts.addAll(cluster.propose("q", 100));

            cluster.awaitTexts(texts);
            assertThat(cluster.replica("n2").installs()).isEqualTo(1);
            assertThat(cluster.replica("n2").entries())
                    .isEqualTo(cluster.replica("n1").entries());
        }
    }

    @Test
    void aNodeWhoseFilesAreAheadOfALogThatEndsWithAnEmptySegmentGoesOn() throws Exception {
        try (TestCluster cluster = new TestCluster(dir).ofThree()) {
            List<String> texts = cluster.propose("a", 10);
            cluster.awaitTexts(texts);
            String away = cluster.followers().get(0);
            cluster.close(away);
            endWithAnEmptySegment(cluster.config(away).dir());
            texts.addAll(cluster.propose("b", 10));
            cluster.awaitTexts(texts);
            RecordingReplica other = cluster.replica(cluster.followers().get(0));
            other.sync();
            cluster.replica(away).copy(other);

            cluster.restart(away);
            texts.addAll(cluster.propose("c", 10));

            cluster.awaitTexts(texts);
        }
    }

    /** As a node leaves it that is killed when it has begun a segment. */
    private static void endWithAnEmptySegment(Path node) throws Exception {
        for (File group : files(node.toFile())) {
            for (File file : files(new File(group, "current"))) {
                if (file.getName().startsWith("log_inprogress_")) {
                    long first = Long.parseLong(file.getName().substring("log_inprogress_".length()));
                    RaftSegmentScan scan = RaftSegmentScan.run(file.toPath(), first);
                    Path closed = file.toPath().resolveSibling("log_" + first + "-" + scan.last());
                    Files.move(file.toPath(), closed);
                    Files.write(file.toPath().resolveSibling("log_inprogress_" + (scan.last() + 1)), HEADER);
                }
            }
        }
    }

    @Test
    void aNodeThatWasAwayForTooLongInstalls() throws Exception {
        try (TestCluster cluster = smallLogs().ofThree()) {
            List<String> texts = cluster.propose("a", 10);
            cluster.awaitTexts(texts);
            String away = cluster.followers().get(0);
            cluster.replica(away).sync();
            cluster.close(away);
            texts.addAll(fillAndPurge(cluster));

            cluster.replica(away).crash();
            cluster.restart(away);
            texts.addAll(cluster.propose("q", 100));

            cluster.awaitTexts(texts);
            assertThat(cluster.replica(away).installs()).isEqualTo(1);
        }
    }

    @Test
    void anInstallThatFailsIsRepeated() throws Exception {
        try (TestCluster cluster = smallLogs()) {
            cluster.start("n1", "a");
            List<String> texts = fillAndPurge(cluster);

            cluster.start("n2", "b");
            cluster.replica("n2").failInstalls(2);
            cluster.awaitVoters("n1", "n2");

            cluster.awaitTexts(texts);
            assertThat(cluster.replica("n2").installs()).isEqualTo(3);
        }
    }

    @Test
    void afterAPurgeARestartContinuesFromTheFiles() throws Exception {
        try (TestCluster cluster = smallLogs()) {
            cluster.start("n1", "a");
            List<String> texts = fillAndPurge(cluster);
            cluster.close("n1");
            cluster.replica("n1").crash();

            cluster.restart("n1");
            texts.addAll(cluster.propose("q", 10));

            cluster.awaitTexts(texts);
            assertThat(cluster.replica("n1").handed()).isEqualTo(10);
        }
    }

    @Test
    void theLogIsNotPurgedBeyondWhatIsDurable() throws Exception {
        try (TestCluster cluster = smallLogs()) {
            cluster.start("n1", "a");
            List<String> texts = cluster.propose("a", 500);
            cluster.awaitTexts(texts);
            RaftPoint durable = cluster.replica("n1").sync();
            texts.addAll(cluster.propose("b", 500));
            cluster.awaitTexts(texts);
            cluster.node("n1").snapshotTaken();
            cluster.close("n1");
            cluster.replica("n1").crash();
            assertThat(cluster.replica("n1").texts()).hasSize(500);

            cluster.restart("n1");

            cluster.awaitTexts(texts);
            assertThat(durable.index()).isPositive();
        }
    }
}
