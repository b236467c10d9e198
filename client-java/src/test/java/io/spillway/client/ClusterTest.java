package io.spillway.client;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.awaitility.Awaitility.await;

import io.spillway.protocol.Code;
import io.spillway.protocol.FrameKind;
import io.spillway.protocol.v1.Error;
import io.spillway.protocol.v1.GoAway;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** A client finds the leader of a cluster, and goes on at the next one. */
@Timeout(60)
final class ClusterTest {
    private static final Duration LONG = Duration.ofSeconds(10);

    private final FakeBroker first = new FakeBroker();
    private final FakeBroker second = new FakeBroker();
    private final FakeBroker third = new FakeBroker();

    @BeforeEach
    void createTopics() {
        for (FakeBroker broker : List.of(first, second, third)) {
            broker.on(() -> {
                broker.topics.create("orders", 1);
                return null;
            });
        }
    }

    @AfterEach
    void close() {
        first.close();
        second.close();
        third.close();
    }

    /** The first of them leads, and all know it. */
    private static void leads(FakeBroker leader, FakeBroker... others) {
        FakeBroker[] all = new FakeBroker[others.length + 1];
        all[0] = leader;
        System.arraycopy(others, 0, all, 1, others.length);
        leader.names(all);
        leader.refuseHello(null);
        for (FakeBroker follower : others) {
            follower.refuseHello(FakeBroker.ledBy(leader));
        }
    }

    private static Error election() {
        return FakeBroker.error(Code.LEADER_ELECTION, 50);
    }

    private static SpillwayClient connect(FakeBroker... to) {
        String[] endpoints = new String[to.length];
        for (int i = 0; i < to.length; i++) {
            endpoints[i] = to[i].endpoint();
        }
        return SpillwayClient.builder().endpoints(endpoints).connect();
    }

    private static PublishAck publish(Producer producer, String value) {
        return producer.publishAndWait(OutgoingRecord.of(value.getBytes(UTF_8)), LONG);
    }

    private static List<String> stored(FakeBroker broker) {
        return broker.on(() -> broker.topics.values("orders", 0));
    }

    @Test
    void followsARedirectToAnEndpointThatItWasNotGiven() {
        leads(second, first);

        try (SpillwayClient client = connect(first)) {
            assertThat(client.admin().listTopics()).hasSize(1);
        }

        assertThat(first.hellos).hasSize(1);
        assertThat(second.hellos).hasSize(1);
    }

    @Test
    void learnsOfNewMembersWhileItIsConnected() {
        leads(first);
        try (SpillwayClient client = SpillwayClient.builder()
                .endpoints(first.endpoint())
                .metadataRefresh(Duration.ofSeconds(1))
                .connect()) {
            first.names(first, second, third);
            await().until(() -> first.count(FrameKind.METADATA) > 0);
            leads(third, second);
            first.stop();

            assertThat(client.admin().listTopics()).hasSize(1);
            assertThat(third.hellos).hasSize(1);
        }
    }

    @Test
    void asksTheNodesInTurnUntilOneLeads() {
        first.refuseHello(election());
        second.refuseHello(FakeBroker.error(Code.NOT_LEADER, 0));
        CompletableFuture<SpillwayClient> connecting = CompletableFuture.supplyAsync(() -> SpillwayClient.builder()
                .endpoints(first.endpoint(), second.endpoint())
                .waitForBroker(Duration.ofSeconds(20))
                .connect());
        await().until(() -> first.hellos.size() >= 3 && second.hellos.size() >= 3);
        leads(second, first);

        connecting.join().close();
    }

    @Test
    void saysThatThereIsNoLeaderWhenItIsNotToWait() {
        first.refuseHello(election());
        second.refuseHello(election());

        assertThatExceptionOfType(SpillwayException.class)
                .isThrownBy(() -> connect(first, second))
                .satisfies(thrown -> assertThat(thrown.is(Code.LEADER_ELECTION)).isTrue());

        assertThat(second.hellos).hasSize(1);
    }

    @Test
    void endsWhenTheNodesSendItInACircle() {
        first.refuseHello(FakeBroker.ledBy(second));
        second.refuseHello(FakeBroker.ledBy(first));

        assertThatExceptionOfType(SpillwayException.class)
                .isThrownBy(() -> connect(first))
                .satisfies(thrown -> assertThat(thrown.is(Code.NOT_LEADER)).isTrue());
    }

    @Test
    void goesOnAtANodeThatTheLeaderNamedWhenThatIsGone() {
        leads(first, second, third);
        try (SpillwayClient client = connect(first);
                Producer producer = client.producer("orders").open();
                Subscription subscription =
                        client.subscribe("orders").group("billing").open()) {
            publish(producer, "a");
            Objects.requireNonNull(subscription.poll(LONG)).ack();
            leads(third, second);
            first.stop();

            publish(producer, "b");

            assertThat(stored(third)).containsExactly("b");
            assertThat(Objects.requireNonNull(subscription.poll(LONG)).value()).isEqualTo("b".getBytes(UTF_8));
        }
    }

    @Test
    void waitsForTheElectionWithWhatItHas() {
        leads(first, second);
        try (SpillwayClient client = connect(first);
                Producer producer = client.producer("orders").open()) {
            second.refuseHello(election());
            first.stop();
            CompletableFuture<PublishAck> publishing = CompletableFuture.supplyAsync(() -> publish(producer, "a"));
            await().until(() -> second.hellos.size() >= 2);
            leads(second);

            assertThat(publishing.join().offset()).isZero();
            assertThat(stored(second)).containsExactly("a");
        }
    }

    @Test
    void goesToTheNodeThatTheNoticeNamesFirst() {
        leads(first, second, third);
        try (SpillwayClient client = connect(first);
                Producer producer = client.producer("orders").open()) {
            leads(third, second);
            announceGoAway(1_000, first, third, first, second);

            await().until(() -> first.connections() == 0);
            publish(producer, "a");

            assertThat(stored(third)).containsExactly("a");
            assertThat(second.hellos).isEmpty();
        }
    }

    private static void announceGoAway(int graceMs, FakeBroker from, FakeBroker... nodes) {
        GoAway.Builder notice = GoAway.newBuilder()
                .setError(FakeBroker.error(Code.NOT_LEADER, 0))
                .setGraceMs(graceMs);
        for (FakeBroker node : nodes) {
            notice.addEndpoints(node.node());
        }
        from.announce(FrameKind.GO_AWAY, notice.build());
    }

    @Test
    void keepsToItsOwnAddressOfABrokerThatIsAlone() {
        first.names(second);
        try (SpillwayClient client = connect(first)) {
            announceGoAway(1_000, first, second);
            await().until(() -> first.hellos.size() == 2);
            first.cutConnections();
            await().until(() -> first.hellos.size() == 3);

            assertThat(client.admin().listTopics()).hasSize(1);
            assertThat(second.hellos).isEmpty();
        }
    }

    @Test
    void whatALeaderThatLostRefusesIsDoneAtTheNext() {
        leads(first, second);
        try (SpillwayClient client = connect(first);
                Producer producer = client.producer("orders").open()) {
            leads(second);
            first.on(() -> first.publishRefusals.add(FakeBroker.error(Code.NOT_LEADER, 0)));

            publish(producer, "a");

            assertThat(stored(second)).containsExactly("a");
            assertThat(first.count(FrameKind.PUBLISH)).isOne();
            await().until(() -> first.connections() == 0);
        }
    }

    @Test
    void administrationThatALeaderThatLostRefusesIsDoneAtTheNext() {
        leads(first, second);
        try (SpillwayClient client = connect(first)) {
            leads(second);
            first.on(() -> first.requestRefusals.add(FakeBroker.ledBy(second)));

            client.admin().createTopic("invoices", 1, Map.of());

            assertThat(second.<Boolean>on(() -> second.topics.topics.containsKey("invoices")))
                    .isTrue();
        }
    }

    @Test
    void aLeaderThatIsAboutToBeginIsAskedAgain() {
        leads(first, second);
        try (SpillwayClient client = connect(first);
                Producer producer = client.producer("orders").open()) {
            first.on(() -> {
                for (int i = 0; i < 8; i++) {
                    first.publishRefusals.add(election());
                    first.requestRefusals.add(election());
                }
                return null;
            });

            publish(producer, "a");
            client.admin().createTopic("invoices", 1, Map.of());

            assertThat(stored(first)).containsExactly("a");
            assertThat(first.hellos).hasSize(1);
            assertThat(second.hellos).isEmpty();
        }
    }

    @Test
    void aSubscriptionOutlivesManyLeaders() {
        leads(first, second);
        try (SpillwayClient client = connect(first);
                Subscription subscription =
                        client.subscribe("orders").group("billing").open()) {
            FakeBroker leader = first;
            FakeBroker other = second;
            for (int change = 0; change < 6; change++) {
                leads(other, leader);
                leader.endSubscriptions(FakeBroker.error(Code.NOT_LEADER, 0));
                FakeBroker next = other;
                await().until(() -> next.<Integer>on(() -> next.topics.subscribers.size()) == 1);
                other = leader;
                leader = next;
            }
            try (Producer producer = client.producer("orders").open()) {
                publish(producer, "a");
            }

            assertThat(Objects.requireNonNull(subscription.poll(LONG)).value()).isEqualTo("a".getBytes(UTF_8));
        }
    }

    @Test
    void aSubscriptionThatEndedIsNotHeldBackByAMessageInHand() {
        leads(first, second);
        try (SpillwayClient client = connect(first);
                Producer producer = client.producer("orders").open();
                Subscription subscription =
                        client.subscribe("orders").group("billing").open()) {
            publish(producer, "a");
            Message inHand = Objects.requireNonNull(subscription.poll(LONG));
            leads(second, first);
            announceGoAway(60_000, first, second, first);
            first.endSubscriptions(FakeBroker.error(Code.NOT_LEADER, 0));

            await().until(() -> second.count(FrameKind.SUBSCRIBE) == 1);
            inHand.ack();

            await().until(() -> second.<Object>on(() -> second.topics.settlements)
                    .toString()
                    .contains("0 0 0-0"));
        }
    }

    @Test
    void aChangeOfLeaderUnderManyPartitionsUsesNoRetryBudget() {
        int partitions = 50;
        for (FakeBroker broker : List.of(first, second)) {
            broker.on(() -> {
                broker.topics.create("wide", partitions);
                return null;
            });
        }
        leads(first, second);
        try (SpillwayClient client = connect(first);
                Producer producer = client.producer("wide").open()) {
            first.on(() -> {
                for (int i = 0; i < partitions; i++) {
                    first.publishRefusalsAfterStoring.add(FakeBroker.error(Code.REPLICATION_TIMEOUT, 0));
                }
                return null;
            });

            List<CompletableFuture<PublishAck>> acks = new ArrayList<>();
            for (int i = 0; i < partitions; i++) {
                acks.add(producer.publish(
                        OutgoingRecord.builder(new byte[1]).partition(i).build()));
            }

            for (CompletableFuture<PublishAck> ack : acks) {
                assertThat(ack).succeedsWithin(LONG);
            }
        }
    }
}
