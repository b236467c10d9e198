package io.spillway.broker.replication;

import static io.spillway.broker.replication.RaftNodeTest.assertKind;
import static io.spillway.broker.replication.TestCluster.awaiting;
import static io.spillway.broker.replication.TestCluster.get;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.spillway.broker.replication.ReplicationException.Kind;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Who is in the cluster. */
class MembershipTest {
    private static final int TRANSFER_TIMEOUT_MS = 5_000;

    @TempDir
    Path dir;

    @Test
    void aSecondNodeOfAZoneListensAndReceivesAll() throws Exception {
        try (TestCluster cluster = new TestCluster(dir)) {
            cluster.start("n1", "a");
            List<String> texts = cluster.propose("a", 50);
            cluster.start("n2", "a");
            cluster.awaitListeners("n2");

            texts.addAll(cluster.propose("b", 50));

            cluster.awaitTexts(texts);
            cluster.awaitVoters("n1");
        }
    }

    @Test
    void aListenerIsPromotedOnDemandAndThenLeads() throws Exception {
        try (TestCluster cluster = new TestCluster(dir)) {
            cluster.start("n1", "a");
            RaftNode n2 = cluster.start("n2", "a");
            cluster.awaitListeners("n2");

            get(n2.promote("n2", Origin.BROKER));
            cluster.awaitVoters("n1", "n2");
            get(n2.transferLeadership("n2", TRANSFER_TIMEOUT_MS, Origin.BROKER));

            awaiting("n2 leading").until(() -> cluster.awaitLeader().equals("n2"));
            cluster.awaitTexts(cluster.propose("a", 10));
        }
    }

    @Test
    void leadershipGoesToAndFro() throws Exception {
        try (TestCluster cluster = new TestCluster(dir).ofThree()) {
            List<String> texts = cluster.propose("start", 10);
            for (String target : List.of("n2", "n3", "n1", "n2")) {
                awaiting("a settled configuration").ignoreExceptions().until(() -> {
                    get(cluster.node("n1").transferLeadership(target, TRANSFER_TIMEOUT_MS, Origin.BROKER));
                    return true;
                });
                awaiting(target + " leading").until(() -> cluster.awaitLeader().equals(target));
                texts.addAll(cluster.propose(target, 10));
            }

            cluster.awaitTexts(texts);
        }
    }

    @Test
    void aNodeThatLostAllAndFormsAnotherClusterOfTheNameStopsAndNeverLeads() throws Exception {
        try (TestCluster cluster = new TestCluster(dir).ofThree()) {
            List<String> texts = cluster.propose("a", 10);
            cluster.awaitTexts(texts);
            String id = cluster.node("n1").status().id();
            cluster.close("n1");
            Files.move(dir.resolve("n1"), dir.resolve("lost"));
            cluster.replace("n1", new RecordingReplica());
            cluster.awaitLeader();

            RaftNode formed = cluster.restart("n1");

            assertThat(cluster.config("n1").otherSeeds()).isEmpty();
            assertThat(RaftDirectory.id(dir.resolve("n1"), "spillway").orElseThrow())
                    .isNotEqualTo(ClusterId.parse(id));
            awaiting("n1 to notice").until(() -> cluster.replica("n1").stopped() != null);
            assertThat(cluster.replica("n1").stopped())
                    .contains("with the id " + id + " knows this node as a member")
                    .contains("its directory was lost");
            assertThat(cluster.replica("n1").leadingTerm()).isNegative();
            assertThat(formed.isClosed()).isTrue();
            cluster.close("n1");
            texts.addAll(cluster.propose("b", 10));
            cluster.awaitTexts(texts);
        }
    }

    @Test
    void aClusterOfBeforeThereWereIdsGoesOnAndIsJoined() throws Exception {
        try (TestCluster cluster = new TestCluster(dir)) {
            ClusterId old = ClusterId.ofName("spillway");
            cluster.start("n1", "a", List.of(), old);
            cluster.awaitLeader();
            cluster.close("n1");
            cluster.replica("n1").crash();

            cluster.restart("n1");
            cluster.start("n2", "b");
            cluster.awaitVoters("n1", "n2");

            assertThat(cluster.node("n1").status().id()).isEqualTo(old.toString());
            assertThat(cluster.node("n2").status().id()).isEqualTo(old.toString());
            cluster.awaitTexts(cluster.propose("a", 10));
        }
    }

    @Test
    void aRemovedNodeStopsAndTheOthersGoOn() throws Exception {
        try (TestCluster cluster = new TestCluster(dir).ofThree()) {
            List<String> texts = cluster.propose("a", 10);
            cluster.awaitTexts(texts);
            String removed = cluster.followers().get(0);

            get(cluster.node(removed).removeNode(removed, Origin.BROKER));
            awaiting("the removed node's end")
                    .until(() -> cluster.replica(removed).stopped() != null);
            cluster.close(removed);
            texts.addAll(cluster.propose("b", 10));

            cluster.awaitTexts(texts);
            assertThat(cluster.node(cluster.awaitLeader()).status().nodes())
                    .extracting(node -> node.peer().id())
                    .hasSize(2)
                    .doesNotContain(removed);
        }
    }

    @Test
    void aVoterTakesThePlaceOfARemovedOneOfItsZone() throws Exception {
        try (TestCluster cluster = new TestCluster(dir).ofThree()) {
            String leader = cluster.awaitLeader();
            String removed = cluster.followers().get(0);
            cluster.start("n4", cluster.config(removed).self().zone());
            cluster.awaitListeners("n4");

            get(cluster.node(leader).removeNode(removed, Origin.BROKER));
            cluster.close(removed);

            awaiting("n4 votes")
                    .until(() -> cluster.node("n4").status().nodes().stream()
                            .anyMatch(
                                    node -> node.peer().id().equals("n4") && node.role() == ClusterStatus.Role.VOTER));
            cluster.awaitTexts(cluster.propose("a", 10));
        }
    }

    @Test
    void whatCannotBeIsRefusedAndSaysWhy() throws Exception {
        try (TestCluster cluster = new TestCluster(dir).ofThree()) {
            String leader = cluster.awaitLeader();
            String follower = cluster.followers().get(0);
            cluster.start("n4", "a");
            cluster.awaitListeners("n4");
            RaftNode node = cluster.node(follower);

            assertKind(Kind.REFUSED, node.removeNode(leader, Origin.BROKER));
            assertKind(Kind.REFUSED, node.removeNode("nobody", Origin.BROKER));
            assertKind(Kind.REFUSED, node.promote("nobody", Origin.BROKER));
            assertKind(Kind.REFUSED, node.transferLeadership("n4", TRANSFER_TIMEOUT_MS, Origin.BROKER));
        }
    }

    @Test
    void aNodeThatDoesNotAnswerIsRefusedAtOnceWhileTheLeaderIsBusy() throws Exception {
        try (TestCluster cluster = new TestCluster(dir).ofThree()) {
            RaftNode leader = cluster.node(cluster.awaitLeader());
            Peer absent = new Peer("n4", "d", "127.0.0.1:1", "127.0.0.1:2");
            CompletableFuture<Void> added = leader.addNode(absent, Origin.BROKER);

            // Ratis looks for silent nodes only in a leader that has nothing else to do.
            awaiting("the answer").until(() -> {
                cluster.propose("busy", 1);
                return added.isDone();
            });

            assertKind(Kind.REFUSED, added);
            assertThat(added)
                    .failsWithin(Duration.ZERO)
                    .withThrowableThat()
                    .withMessageContaining("must run to be admitted");
        }
    }

    @Test
    void aRemovalThatWouldStopTheClusterIsRefused() throws Exception {
        try (TestCluster cluster = new TestCluster(dir).ofThree()) {
            String leader = cluster.awaitLeader();
            String dead = cluster.followers().get(0);
            String alive = cluster.followers().get(1);
            cluster.close(dead);
            awaiting(dead + " out of reach")
                    .until(() -> get(cluster.node(leader).leaderStatus()).nodes().stream()
                            .anyMatch(
                                    node -> node.peer().id().equals(dead) && node.lastContactMs() > Quorum.REACHED_MS));

            assertKind(Kind.REFUSED, cluster.node(leader).removeNode(alive, Origin.BROKER));

            cluster.awaitTexts(cluster.propose("a", 10));
            get(cluster.node(alive).removeNode(dead, Origin.BROKER));
            cluster.awaitVoters(Stream.of(leader, alive).sorted().toArray(String[]::new));
        }
    }

    @Test
    void aFollowerLearnsFromTheLeaderHowFarTheOthersAre() throws Exception {
        try (TestCluster cluster = new TestCluster(dir).ofThree()) {
            cluster.awaitTexts(cluster.propose("a", 10));
            String leader = cluster.awaitLeader();

            ClusterStatus status = get(cluster.node(cluster.followers().get(0)).leaderStatus());

            assertThat(status.self()).isEqualTo(leader);
            assertThat(status.isLeading()).isTrue();
            assertThat(status.nodes()).hasSize(3).allSatisfy(node -> {
                assertThat(node.lagEntries()).isNotNegative();
                assertThat(node.lastContactMs()).isNotNegative();
            });
        }
    }

    @Test
    void aNodeThatLostItsDirectoryComesBack() throws Exception {
        try (TestCluster cluster = new TestCluster(dir).ofThree()) {
            List<String> texts = cluster.propose("a", 100);
            cluster.awaitTexts(texts);
            String lost = cluster.followers().get(0);
            cluster.close(lost);
            delete(dir.resolve(lost));
            cluster.replace(lost, new RecordingReplica());
            // What formed the cluster would form another one: from now on it has the others as seeds.
            cluster.reconfigure(lost, config -> withSeeds(cluster, config));

            cluster.restart(lost);
            cluster.awaitVoters("n1", "n2", "n3");
            texts.addAll(cluster.propose("b", 10));

            cluster.awaitTexts(texts);
        }
    }

    private static ReplicationConfig withSeeds(TestCluster cluster, ReplicationConfig config) {
        List<String> seeds = Stream.of("n1", "n2", "n3")
                .map(id -> cluster.config(id).self().clusterAddress())
                .toList();
        return ReplicationConfig.of(config.self(), config.listen(), seeds, config.dir());
    }

    private static void delete(Path root) throws IOException {
        try (Stream<Path> paths = Files.walk(root)) {
            for (Path path : paths.sorted(Comparator.reverseOrder()).toList()) {
                Files.delete(path);
            }
        }
    }

    @Test
    void aNewClientAddressBecomesKnown() throws Exception {
        try (TestCluster cluster = new TestCluster(dir).ofThree()) {
            Peer old = cluster.config("n2").self();
            Peer moved = new Peer(old.id(), old.zone(), old.clusterAddress(), "n2.example:7000");

            get(cluster.node("n3").addNode(moved, Origin.BROKER));

            for (String id : List.of("n1", "n2", "n3")) {
                awaiting("the new address at " + id)
                        .until(() -> cluster.node(id).status().nodes().stream()
                                .anyMatch(node -> node.peer().equals(moved)));
            }
            cluster.awaitTexts(cluster.propose("a", 10));
        }
    }

    @Test
    void aNodeIsNotTakenInAtAnotherAddressAndStaysWhatItIs() throws Exception {
        try (TestCluster cluster = new TestCluster(dir).ofThree()) {
            Peer old = cluster.config("n2").self();
            Peer moved = new Peer(old.id(), old.zone(), "127.0.0.1:1", old.clientAddress());

            CompletableFuture<Void> added = cluster.node("n3").addNode(moved, Origin.BROKER);

            assertKind(Kind.REFUSED, added);
            assertThatThrownBy(added::join).hasMessageContaining("the others call it at " + old.clusterAddress());
            assertThat(cluster.node("n1").status().nodes())
                    .anyMatch(node -> node.peer().equals(old) && node.role() == ClusterStatus.Role.VOTER);
        }
    }

    @Test
    void aNodeOfAnotherClusterIsNotAdmitted() throws Exception {
        try (TestCluster cluster = new TestCluster(dir)) {
            RaftNode n1 = cluster.start("n1", "a");
            cluster.awaitLeader();
            try (TestCluster other = new TestCluster(dir, MembershipTest::renamed)) {
                RaftNode stranger = other.start(
                        "n2", "b", List.of(cluster.config("n1").self().clusterAddress()));

                assertKind(Kind.UNREACHABLE, stranger.ask(cluster.config("n1").self(), TestCluster.bytes("x")));
                assertThat(stranger.joined()).isNotDone();
                assertThat(n1.status().nodes()).hasSize(1);
            }
        }
    }

    private static ReplicationConfig renamed(ReplicationConfig config) {
        return new ReplicationConfig(
                "another",
                config.self(),
                config.listen(),
                config.seeds(),
                config.dir(),
                config.electionMinMs(),
                config.electionMaxMs(),
                config.maxVoters(),
                config.maxPendingBytes(),
                config.preservedBytes(),
                config.segmentBytes(),
                config.tls());
    }
}
