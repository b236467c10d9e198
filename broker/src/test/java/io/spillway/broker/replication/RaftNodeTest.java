package io.spillway.broker.replication;

import static io.spillway.broker.replication.TestCluster.awaiting;
import static io.spillway.broker.replication.TestCluster.bytes;
import static io.spillway.broker.replication.TestCluster.get;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.spillway.broker.replication.ReplicationException.Kind;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What a broker relies on. */
class RaftNodeTest {
    @TempDir
    Path dir;

    @Test
    void oneNodeFormsAClusterAndContinuesAfterARestart() throws Exception {
        try (TestCluster cluster = new TestCluster(dir)) {
            cluster.start("n1", "a");
            List<String> texts = cluster.propose("a", 100);
            long term = cluster.replica("n1").leadingTerm();
            cluster.close("n1");
            cluster.replica("n1").crash();

            cluster.restart("n1");
            texts.addAll(cluster.propose("b", 1));

            cluster.awaitTexts(texts);
            assertThat(cluster.replica("n1").leadingTerm()).isGreaterThan(term);
        }
    }

    @Test
    void entriesOfOneProposerArriveInOrderOnAllNodes() throws Exception {
        try (TestCluster cluster = new TestCluster(dir).ofThree()) {
            List<String> texts = cluster.propose("e", 2_000);

            cluster.awaitTexts(texts);
            assertThat(cluster.replica("n2").entries())
                    .isEqualTo(cluster.replica("n1").entries());
            assertThat(cluster.replica("n3").entries())
                    .isEqualTo(cluster.replica("n1").entries());
        }
    }

    @Test
    void aProposalsPlaceIsWhereItIsApplied() throws Exception {
        try (TestCluster cluster = new TestCluster(dir)) {
            RaftNode node = cluster.start("n1", "a");
            cluster.awaitLeader();

            RaftPoint point = get(node.propose(bytes("x")));

            assertThat(cluster.replica("n1").entries()).containsExactly(new RecordingReplica.Entry(point, "x"));
        }
    }

    @Test
    void aNodeWhoseLogCannotBeSyncedSaysThatItHasStopped() throws Exception {
        try (TestCluster cluster = new TestCluster(dir)) {
            RaftNode node = cluster.start("n1", "a");
            cluster.awaitLeader();
            cluster.replica("n1").failSyncs();

            CompletableFuture<RaftPoint> proposed = node.propose(bytes("x"));

            awaiting("its end").until(() -> cluster.replica("n1").stopped() != null);
            assertThat(cluster.replica("n1").stopped()).isEqualTo("its log cannot be written");
            awaiting("the answer").until(proposed::isDone);
            assertThat(proposed).isCompletedExceptionally();
        }
    }

    @Test
    void anotherNodeLeadsWhenTheLeaderIsGone() throws Exception {
        try (TestCluster cluster = new TestCluster(dir).ofThree()) {
            List<String> texts = cluster.propose("a", 10);
            String old = cluster.awaitLeader();
            cluster.close(old);

            texts.addAll(cluster.propose("b", 10));

            cluster.awaitTexts(texts);
            assertThat(cluster.awaitLeader()).isNotEqualTo(old);
        }
    }

    @Test
    void aNodeThatWasAwayCatchesUp() throws Exception {
        try (TestCluster cluster = new TestCluster(dir).ofThree()) {
            List<String> texts = cluster.propose("a", 10);
            cluster.awaitTexts(texts);
            String away = cluster.followers().get(0);
            cluster.replica(away).sync();
            cluster.close(away);
            texts.addAll(cluster.propose("b", 500));

            cluster.replica(away).crash();
            cluster.restart(away);

            cluster.awaitTexts(texts);
            assertThat(cluster.replica(away).handed())
                    .as("entries handed over again")
                    .isEqualTo(500);
        }
    }

    @Test
    void aFollowerKnowsTheLeaderAndRefusesProposalsByItsName() throws Exception {
        try (TestCluster cluster = new TestCluster(dir).ofThree()) {
            String leader = cluster.awaitLeader();
            String follower = cluster.followers().get(0);
            awaiting("the leader's name at " + follower)
                    .until(() -> cluster.config(leader)
                            .self()
                            .equals(cluster.replica(follower).leader()));

            assertThatThrownBy(() -> get(cluster.node(follower).propose(bytes("x"))))
                    .isInstanceOf(ExecutionException.class)
                    .cause()
                    .isInstanceOfSatisfying(ReplicationException.class, refusal -> {
                        assertThat(refusal.kind()).isEqualTo(Kind.NOT_LEADER);
                        assertThat(refusal.leader())
                                .isEqualTo(cluster.config(leader).self());
                    });
        }
    }

    @Test
    void anEntryThatIsTooLargeIsRefusedAndTheLeaderStays() throws Exception {
        try (TestCluster cluster = new TestCluster(dir)) {
            RaftNode node = cluster.start("n1", "a");
            cluster.awaitLeader();
            long term = cluster.replica("n1").leadingTerm();

            assertKind(Kind.TOO_LARGE, node.propose(ByteBuffer.allocate(RaftNode.MAX_ENTRY_BYTES + 1)));
            get(node.propose(ByteBuffer.allocate(RaftNode.MAX_ENTRY_BYTES)));

            assertThat(cluster.replica("n1").leadingTerm()).isEqualTo(term);
        }
    }

    @Test
    void theLargestEntriesReachAFollower() throws Exception {
        try (TestCluster cluster = new TestCluster(dir)) {
            cluster.start("n1", "a");
            cluster.start("n2", "b");
            cluster.awaitVoters("n1", "n2");
            RaftNode leader = cluster.node(cluster.awaitLeader());
            byte[] large = new byte[RaftNode.MAX_ENTRY_BYTES];
            java.util.Arrays.fill(large, (byte) 'x');

            List<CompletableFuture<RaftPoint>> futures = new ArrayList<>();
            for (int i = 0; i < 5; i++) {
                futures.add(leader.propose(ByteBuffer.wrap(large)));
            }
            for (CompletableFuture<RaftPoint> future : futures) {
                get(future);
            }

            String text = new String(large, StandardCharsets.UTF_8);
            cluster.awaitTexts(List.of(text, text, text, text, text));
        }
    }

    @Test
    void whatDoesNotFitWaitsOrIsRefusedAsBusyAndTheRestArrives() throws Exception {
        try (TestCluster cluster = new TestCluster(dir)) {
            RaftNode node = cluster.start("n1", "a");
            cluster.awaitLeader();
            RecordingReplica replica = cluster.replica("n1");
            replica.hold();

            List<CompletableFuture<RaftPoint>> accepted = proposeUntilBusy(node);

            int fit = ReplicationConfig.DEFAULT_MAX_PENDING_BYTES >> 20;
            assertThat(replica.handed()).as("entries taken up and not applied").isLessThanOrEqualTo(fit + 1);
            assertThat(accepted).hasSizeBetween(fit, 2 * fit + 2);
            replica.release();
            awaiting("all accepted entries").until(() -> replica.handed() == accepted.size());
            for (CompletableFuture<RaftPoint> future : accepted) {
                get(future);
            }
        }
    }

    /** Entries of a mebibyte. */
    private static List<CompletableFuture<RaftPoint>> proposeUntilBusy(RaftNode node) throws Exception {
        List<CompletableFuture<RaftPoint>> accepted = new ArrayList<>();
        while (true) {
            CompletableFuture<RaftPoint> future = node.propose(ByteBuffer.allocate(1 << 20));
            if (future.isCompletedExceptionally()) {
                assertKind(Kind.BUSY, future);
                return accepted;
            }
            accepted.add(future);
        }
    }

    @Test
    void aProposalUnderWayWhenTheNodeClosesHasAnUnknownOutcome() throws Exception {
        try (TestCluster cluster = new TestCluster(dir)) {
            RaftNode node = cluster.start("n1", "a");
            cluster.awaitLeader();
            cluster.replica("n1").hold();
            List<CompletableFuture<RaftPoint>> accepted = proposeUntilBusy(node);

            cluster.close("n1");

            assertKind(Kind.UNKNOWN, accepted.get(accepted.size() - 1));
            assertKind(Kind.CLOSED, node.propose(bytes("y")));
        }
    }

    @Test
    void aNodeAnswersQuestionsWhateverItsRole() throws Exception {
        try (TestCluster cluster = new TestCluster(dir).ofThree()) {
            for (String asking : List.of("n1", "n2", "n3")) {
                for (String asked : List.of("n1", "n2", "n3")) {
                    ByteBuffer answer =
                            get(cluster.node(asking).ask(cluster.config(asked).self(), bytes(asking)));
                    assertThat(StandardCharsets.UTF_8.decode(answer).toString()).isEqualTo("heard " + asking);
                }
            }
        }
    }

    @Test
    void anAnswerThatCannotBeHadFailsAndTheNextOneArrives() throws Exception {
        try (TestCluster cluster = new TestCluster(dir)) {
            RaftNode n1 = cluster.start("n1", "a");
            cluster.start("n2", "b");
            cluster.awaitVoters("n1", "n2");
            Peer n2 = cluster.config("n2").self();
            cluster.close("n2");

            assertKind(Kind.UNREACHABLE, n1.ask(n2, bytes("x")));
            cluster.restart("n2");

            awaiting("an answer of the restarted node")
                    .until(() -> !n1.ask(n2, bytes("x"))
                            .handle((answer, failure) -> failure != null)
                            .get());
        }
    }

    @Test
    void theStatusNamesAllNodesAndWhoLeads() throws Exception {
        try (TestCluster cluster = new TestCluster(dir).ofThree()) {
            cluster.propose("a", 10);
            String leader = cluster.awaitLeader();
            awaiting("the followers' commit at the leader")
                    .until(() ->
                            cluster.node(leader).status().nodes().stream().allMatch(node -> node.lagEntries() == 0));

            ClusterStatus status = cluster.node(leader).status();

            assertThat(status.leader()).isEqualTo(cluster.config(leader).self());
            assertThat(status.commit()).isEqualTo(status.applied());
            assertThat(status.nodes())
                    .extracting(ClusterStatus.Node::peer)
                    .containsExactly(
                            cluster.config("n1").self(),
                            cluster.config("n2").self(),
                            cluster.config("n3").self());
            assertThat(status.nodes()).allSatisfy(node -> {
                assertThat(node.isLeader()).isEqualTo(node.peer().id().equals(leader));
                assertThat(node.lastContactMs()).isBetween(0L, 60_000L);
            });
        }
    }

    static void assertKind(Kind kind, CompletableFuture<?> future) throws Exception {
        assertThat(kind(future)).isEqualTo(kind);
    }

    private static Kind kind(CompletableFuture<?> future) throws Exception {
        try {
            get(future);
        } catch (ExecutionException e) {
            if (e.getCause() instanceof ReplicationException failure) {
                return failure.kind();
            }
            throw e;
        }
        throw new AssertionError("it succeeded");
    }
}
