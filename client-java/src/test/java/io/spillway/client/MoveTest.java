package io.spillway.client;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.spillway.protocol.FrameKind;
import io.spillway.protocol.v1.GoAway;
import java.time.Duration;
import java.util.Objects;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** A client leaves a broker that goes away for another one. */
@Timeout(60)
final class MoveTest {
    private static final Duration LONG = Duration.ofSeconds(10);

    private final FakeBroker first = new FakeBroker();
    private final FakeBroker second = new FakeBroker();

    @BeforeEach
    void createTopics() {
        createTopic(first);
        createTopic(second);
    }

    private static void createTopic(FakeBroker broker) {
        broker.on(() -> {
            broker.topics.create("orders", 1);
            return null;
        });
    }

    @AfterEach
    void close() {
        first.close();
        second.close();
    }

    private SpillwayClient connect() {
        return SpillwayClient.builder()
                .endpoints(first.endpoint(), second.endpoint())
                .connect();
    }

    private static PublishAck publish(Producer producer, String value) {
        return producer.publishAndWait(OutgoingRecord.of(value.getBytes(UTF_8)), LONG);
    }

    private void announceGoAway(int graceMs) {
        first.announce(
                FrameKind.GO_AWAY,
                GoAway.newBuilder().setGraceMs(graceMs).setReconnectAfterMs(100).build());
    }

    @Test
    void publishesElsewhereWhileAMessageIsStillBeingHandled() {
        try (SpillwayClient client = connect();
                Producer producer = client.producer("orders").open();
                Subscription subscription =
                        client.subscribe("orders").group("billing").open()) {
            publish(producer, "a");
            Message message = Objects.requireNonNull(subscription.poll(LONG));

            announceGoAway(60_000);
            await().until(() -> second.hellos.size() == 1);
            publish(producer, "b");

            assertThat(first.connections()).isOne();
            assertThat(second.<Integer>on(
                            () -> second.topics.partition("orders", 0).records()))
                    .isOne();

            message.ack();
            await().until(() -> first.connections() == 0);
            assertThat(first.<Object>on(() -> first.topics.settlements))
                    .asList()
                    .contains("0 0 0-0");
            Message next = Objects.requireNonNull(subscription.poll(LONG));
            assertThat(next.value()).isEqualTo("b".getBytes(UTF_8));
        }
    }

    @Test
    void leavesWhenTheGraceIsOverAndTheMessageComesAgain() {
        try (SpillwayClient client = connect();
                Producer producer = client.producer("orders").open();
                Subscription subscription =
                        client.subscribe("orders").group("billing").open()) {
            publish(producer, "a");
            Objects.requireNonNull(subscription.poll(LONG));

            announceGoAway(200);

            await().until(() -> first.connections() == 0);
            await().until(() -> second.count(FrameKind.SUBSCRIBE) == 1);
        }
    }

    @Test
    void finishesWhereItIsWhenTheOtherCannotBeReached() {
        second.stop();
        try (SpillwayClient client = connect();
                Producer producer = client.producer("orders").open()) {
            announceGoAway(60_000);
            await().until(() -> first.hellos.size() == 2);

            assertThat(publish(producer, "a").offset()).isZero();
        }
    }
}
