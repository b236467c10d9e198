package io.spillway.system;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.spillway.client.Message;
import io.spillway.client.SpillwayClient;
import io.spillway.client.Subscription;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.awaitility.core.ConditionTimeoutException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Three brokers in processes of their own that form a cluster: what is acked survives the loss of any one of them. */
@Timeout(180)
class ClusterTest {
    private static final Duration PATIENCE = Duration.ofSeconds(60);

    @TempDir
    Path directory;

    @Test
    void whatIsAckedSurvivesTheDeathOfLeaders() throws Exception {
        try (BrokerCluster cluster = BrokerCluster.start(directory, 3);
                SpillwayClient client = cluster.client()) {
            client.admin().createTopic("numbers", 1, Map.of());
            try (Numbers numbers = new Numbers(client, "numbers", 0)) {
                for (int round = 0; round < 3; round++) {
                    long before = numbers.ackCount();
                    await("acks").atMost(PATIENCE).until(() -> numbers.ackCount() > before + 500);
                    int leader = cluster.leader();
                    cluster.node(leader).kill9();
                    long atDeath = numbers.ackCount();
                    await("acks of the next leader").atMost(PATIENCE).until(() -> numbers.ackCount() > atDeath + 500);
                    cluster.node(leader).start();
                }
                numbers.finish();

                assertEachOnce(client, numbers);
            }
            stopAll(cluster);
        }
        TreeMap<Integer, String> first = StoredLog.digest(directory.resolve("n1"));
        assertThat(StoredLog.digest(directory.resolve("n2"))).isEqualTo(first);
        assertThat(StoredLog.digest(directory.resolve("n3"))).isEqualTo(first);
    }

    @Test
    void noCallFailsWhileOneNodeAfterTheOtherIsRestarted() throws Exception {
        try (BrokerCluster cluster = BrokerCluster.start(directory, 3);
                SpillwayClient client = cluster.client()) {
            client.admin().createTopic("numbers", 1, Map.of());
            try (Numbers numbers = new Numbers(client, "numbers", 0)) {
                for (int node = 0; node < 3; node++) {
                    long before = numbers.ackCount();
                    await("acks").atMost(PATIENCE).until(() -> numbers.ackCount() > before + 500);
                    assertThat(cluster.node(node).terminate()).isZero();
                    cluster.node(node).start();
                }
                numbers.finish();

                assertEachOnce(client, numbers);
            }
        }
    }

    @Test
    void aGroupGoesOnWhereItWasAtTheNextLeader() throws Exception {
        try (BrokerCluster cluster = BrokerCluster.start(directory, 3);
                SpillwayClient client = cluster.client()) {
            client.admin().createTopic("numbers", 1, Map.of());
            try (Numbers numbers = new Numbers(client, "numbers", 0)) {
                await("acks").atMost(PATIENCE).until(() -> numbers.ackCount() > 2_000);
                numbers.finish();
                Set<Long> done = new HashSet<>();
                Set<Long> confirmed;
                try (Subscription group = client.subscribe("numbers").group("g").open()) {
                    while (done.size() < 1_000) {
                        for (Message message : group.poll(100, PATIENCE)) {
                            done.add(Numbers.numberOf(message.value()));
                            message.ack();
                        }
                    }
                    group.flushAcks(PATIENCE);
                    confirmed = Set.copyOf(done);
                    cluster.node(cluster.leader()).kill9();
                    List<Long> again = new ArrayList<>();
                    while (done.size() < numbers.acked().size()) {
                        for (Message message : group.poll(1_000, PATIENCE)) {
                            long number = Numbers.numberOf(message.value());
                            if (!done.add(number)) {
                                again.add(number);
                            }
                            message.ack();
                        }
                    }

                    assertThat(again)
                            .as("what was acked and confirmed comes no more")
                            .doesNotContainAnyElementsOf(confirmed);
                }
                Set<Long> missing = new HashSet<>(numbers.acked());
                missing.removeAll(done);
                assertThat(missing).isEmpty();
            }
        }
    }

    @Test
    void aNodeThatJoinsLateHoldsWhatTheOthersHold() throws Exception {
        try (BrokerCluster cluster = BrokerCluster.start(directory, 2, "log.segment-bytes=2MiB");
                SpillwayClient client = cluster.client()) {
            client.admin().createTopic("numbers", 1, Map.of());
            try (Numbers numbers = new Numbers(client, "numbers", 0)) {
                await("acks").atMost(PATIENCE).until(() -> numbers.ackCount() > 30_000);
                BrokerProcess late = cluster.add();
                long before = numbers.ackCount();
                await("acks beside the join").atMost(PATIENCE).until(() -> numbers.ackCount() > before + 5_000);
                numbers.finish();
                assertThat(late.isRunning()).isTrue();
                awaitSameEnd(cluster);
            }
            stopAll(cluster);
        }
        TreeMap<Integer, String> first = StoredLog.digest(directory.resolve("n1"));
        assertThat(StoredLog.digest(directory.resolve("n2"))).isEqualTo(first);
        assertThat(StoredLog.digest(directory.resolve("n3"))).isEqualTo(first);
    }

    @Test
    void aLeaderThatWasStoppedForAWhileFindsThatItIsNoLonger() throws Exception {
        try (BrokerCluster cluster = BrokerCluster.start(directory, 3);
                SpillwayClient client = cluster.client()) {
            client.admin().createTopic("numbers", 1, Map.of());
            try (Numbers numbers = new Numbers(client, "numbers", 0)) {
                await("acks").atMost(PATIENCE).until(() -> numbers.ackCount() > 500);
                int old = cluster.leader();
                cluster.node(old).signal("STOP");
                // What the old leader had sent still comes; those are not the next one's acks.
                await("the next leader").atMost(PATIENCE).until(() -> cluster.isLedByAnotherThan(old));
                long before = numbers.ackCount();
                await("its acks").atMost(PATIENCE).until(() -> numbers.ackCount() > before + 500);
                cluster.node(old).signal("CONT");
                await("the old leader to follow")
                        .atMost(PATIENCE)
                        .until(() -> !BrokerCluster.serves(cluster.node(old)));
                numbers.finish();

                assertEachOnce(client, numbers);
            }
        }
    }

    /** No call failed, every acked number is stored, and none twice. */
    static void assertEachOnce(SpillwayClient client, Numbers numbers) {
        assertThat(numbers.failures()).isEmpty();
        Set<Long> missing = new HashSet<>(numbers.acked());
        Set<Long> stored = new HashSet<>();
        List<Long> twice = new ArrayList<>();
        for (Message message : Numbers.readAll(client, "numbers")) {
            long number = Numbers.numberOf(message.value());
            missing.remove(number);
            if (!stored.add(number)) {
                twice.add(number);
            }
        }
        assertThat(missing).as("acked and not stored").isEmpty();
        assertThat(twice).as("stored twice").isEmpty();
    }

    /** Until what each node has on disk does not change any more and is the same. */
    private static void awaitSameEnd(BrokerCluster cluster) throws IOException, InterruptedException {
        try {
            await("all nodes to hold the same").atMost(PATIENCE).until(cluster::holdsTheSameEverywhere);
        } catch (ConditionTimeoutException e) {
            throw new AssertionError(cluster.standing(), e);
        }
    }

    static void stopAll(BrokerCluster cluster) throws IOException, InterruptedException {
        awaitSameEnd(cluster);
        for (int i = 0; i < cluster.size(); i++) {
            cluster.node(i).kill9();
        }
    }
}
