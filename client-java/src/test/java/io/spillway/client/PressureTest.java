package io.spillway.client;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;
import static org.awaitility.Awaitility.await;

import io.spillway.protocol.Code;
import io.spillway.protocol.FrameKind;
import io.spillway.protocol.v1.Backpressure;
import io.spillway.protocol.v1.Error;
import io.spillway.protocol.v1.PressureReason;
import io.spillway.protocol.v1.PressureState;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What the application is told of the broker's load. */
@Timeout(60)
final class PressureTest {
    private static final Duration LONG = Duration.ofSeconds(10);
    private static final Duration SHORT = Duration.ofMillis(300);
    private static final OutgoingRecord RECORD = OutgoingRecord.of("x".getBytes(UTF_8));

    private final FakeBroker broker = new FakeBroker();
    private final List<Pressure> heard = new CopyOnWriteArrayList<>();
    private final List<Pressure> measured = new CopyOnWriteArrayList<>();

    @BeforeEach
    void begin() {
        broker.on(() -> {
            broker.topics.create("t", 1);
            return null;
        });
    }

    @AfterEach
    void close() {
        broker.close();
    }

    private SpillwayClient client() {
        return SpillwayClient.builder()
                .endpoints(broker.endpoint())
                .onPressure(heard::add)
                .metrics(new ClientMetrics() {
                    @Override
                    public void onPressure(Pressure pressure) {
                        measured.add(pressure);
                    }
                })
                .connect();
    }

    private Pressure last() {
        return heard.isEmpty()
                ? new Pressure(PressureLevel.NORMAL, List.of(), "", "", Duration.ZERO)
                : heard.get(heard.size() - 1);
    }

    private static Backpressure slowDisk(int seq) {
        return Backpressure.newBuilder()
                .setSeq(seq)
                .setState(PressureState.P_THROTTLED)
                .setScope("broker")
                .setRetryAfterMs(20_000)
                .addReasons(PressureReason.R_DISK_LATENCY)
                .build();
    }

    @Test
    void theApplicationSeesThePressureOfItsBroker() {
        try (SpillwayClient client = client();
                Producer producer = client.producer("t").open()) {
            assertThat(producer.mayPublish()).isTrue();
            assertThat(client.pressure().level()).isEqualTo(PressureLevel.NORMAL);

            broker.announce(FrameKind.BACKPRESSURE, slowDisk(1));
            await().until(() -> last().level() == PressureLevel.THROTTLED);
            Pressure now = producer.pressure();
            assertThat(now.reason()).isEqualTo("DISK_LATENCY");
            assertThat(now.of()).isEqualTo("connection");
            assertThat(now.scope()).isEqualTo("broker");
            assertThat(now.retryAfter()).isBetween(Duration.ofSeconds(1), Duration.ofSeconds(20));
            assertThat(last().reasons()).containsExactly("DISK_LATENCY");
            assertThat(measured).hasSameSizeAs(heard);
            assertThat(producer.mayPublish()).isFalse();

            broker.announce(
                    FrameKind.BACKPRESSURE, Backpressure.newBuilder().setSeq(2).build());
            await().until(() -> last().level() == PressureLevel.NORMAL && producer.mayPublish());
        }
    }

    @Test
    void aPublishThatWaitedForThePressureToEndSaysWhatItWas() {
        try (SpillwayClient client = client();
                Producer producer = client.producer("t").deliveryTimeout(SHORT).open()) {
            broker.announce(FrameKind.BACKPRESSURE, slowDisk(1));
            await().until(() -> client.pressure().level() == PressureLevel.THROTTLED);

            SpillwayException e =
                    catchThrowableOfType(SpillwayException.class, () -> producer.publishAndWait(RECORD, LONG));

            assertThat(e.is(Code.THROTTLED)).isTrue();
            assertThat(e.why()).contains("throttled, because of DISK_LATENCY for broker");
            assertThat(e.details())
                    .containsEntry("pressure_state", "THROTTLED")
                    .containsEntry("pressure_reason", "DISK_LATENCY")
                    .containsEntry("pressure_scope", "broker");
            assertThat(e.retryAfter()).isPositive();
            assertThat(e.outcomeUnknown()).isFalse();
            assertThat(broker.count(FrameKind.PUBLISH)).isZero();
        }
    }

    @Test
    void aPublishThatWaitedForCreditSaysSo() {
        broker.on(() -> broker.topics.creditBatches = 1);
        try (SpillwayClient client = client();
                Producer producer = client.producer("t").deliveryTimeout(SHORT).open()) {
            producer.publishAndWait(RECORD, LONG);
            assertThat(producer.mayPublish()).as("without credit").isFalse();

            SpillwayException e =
                    catchThrowableOfType(SpillwayException.class, () -> producer.publishAndWait(RECORD, LONG));

            assertThat(e.is(Code.THROTTLED)).isTrue();
            assertThat(e.details()).containsEntry("pressure_reason", "CREDIT").containsEntry("pressure_scope", "t/0");
        }
    }

    @Test
    void aRefusalForLoadIsPressureOfItsPartition() {
        try (SpillwayClient client = client();
                Producer producer = client.producer("t").open()) {
            broker.on(() -> broker.publishRefusals.add(FakeBroker.error(Code.THROTTLED, 500).toBuilder()
                    .putMetadata("reason", "REPLICATION")
                    .build()));
            CompletableFuture<PublishAck> outcome = producer.publish(RECORD);
            await().until(() -> last().of().equals("t/0") && last().level() == PressureLevel.THROTTLED);
            assertThat(last().reason()).isEqualTo("REPLICATION");
            assertThat(producer.pressure().of()).isEqualTo("t/0");
            assertThat(producer.mayPublish()).isFalse();

            assertThat(outcome).succeedsWithin(LONG);
            await().until(() -> last().of().equals("t/0") && last().level() == PressureLevel.NORMAL);
            await().until(producer::mayPublish);
        }
    }

    private Error overloaded(String scope) {
        return FakeBroker.error(Code.OVERLOADED, 1_500).toBuilder()
                .putMetadata("reason", "MEMORY")
                .putMetadata("scope", scope)
                .build();
    }

    @Test
    void whatWouldBeRefusedForTheSameReasonWaitsInTheBuffer() {
        broker.on(() -> {
            broker.topics.create("u", 1);
            return null;
        });
        try (SpillwayClient client = client();
                Producer refused = client.producer("t").open();
                Producer other = client.producer("u").open()) {
            broker.on(() -> broker.publishRefusals.add(overloaded("domain:java")));
            CompletableFuture<PublishAck> first = refused.publish(RECORD);
            await().until(() -> last().of().equals("connection") && last().level() == PressureLevel.OVERLOADED);
            assertThat(last().reason()).isEqualTo("MEMORY");
            assertThat(last().scope()).isEqualTo("domain:java");
            assertThat(other.mayPublish()).isFalse();
            assertThat(other.pressure().level()).isEqualTo(PressureLevel.OVERLOADED);

            CompletableFuture<PublishAck> second = other.publish(RECORD);
            assertThat(second).succeedsWithin(LONG);
            assertThat(first).succeedsWithin(LONG);
            assertThat(broker.count(FrameKind.PUBLISH))
                    .as("the refused one, and each once")
                    .isEqualTo(3);
            assertThat(measured).anyMatch(seen -> seen.of().equals("connection"));
            await().until(() -> client.pressure().level() == PressureLevel.NORMAL);
        }
    }

    @Test
    void aRefusalOfATopicOrOfAClassHoldsNothingElse() {
        broker.on(() -> {
            broker.topics.create("u", 1);
            return null;
        });
        try (SpillwayClient client = client();
                Producer bulk = client.producer("t").shedClass(3).open();
                Producer urgent = client.producer("t").shedClass(0).open();
                Producer other = client.producer("u").open()) {
            broker.on(() -> broker.publishRefusals.add(overloaded("broker").toBuilder()
                    .putMetadata("shed_class", "3")
                    .build()));
            CompletableFuture<PublishAck> first = bulk.publish(RECORD);
            await().until(() -> last().of().equals("t") && last().level() == PressureLevel.OVERLOADED);
            assertThat(bulk.mayPublish()).isFalse();
            assertThat(urgent.mayPublish()).isTrue();
            assertThat(urgent.publish(RECORD)).succeedsWithin(LONG);
            assertThat(first).isNotDone();
            assertThat(first).succeedsWithin(LONG);
            await().until(() -> last().level() == PressureLevel.NORMAL);

            broker.on(() -> broker.publishRefusals.add(overloaded("topic:t")));
            CompletableFuture<PublishAck> again = bulk.publish(RECORD);
            await().until(() -> last().of().equals("t") && last().level() == PressureLevel.OVERLOADED);
            assertThat(urgent.mayPublish()).isFalse();
            assertThat(other.mayPublish()).isTrue();
            assertThat(other.publish(RECORD)).succeedsWithin(LONG);
            assertThat(again).isNotDone();
            assertThat(again).succeedsWithin(LONG);
        }
    }

    @Test
    void aListenerThatThrowsDoesNoHarm() {
        try (SpillwayClient client = SpillwayClient.builder()
                        .endpoints(broker.endpoint())
                        .onPressure(pressure -> {
                            heard.add(pressure);
                            throw new IllegalStateException("the test wants it");
                        })
                        .connect();
                Producer producer = client.producer("t").open()) {
            broker.announce(FrameKind.BACKPRESSURE, slowDisk(1));
            await().until(() -> last().level() == PressureLevel.THROTTLED);
            broker.announce(
                    FrameKind.BACKPRESSURE, Backpressure.newBuilder().setSeq(2).build());
            await().until(producer::mayPublish);
            assertThat(producer.publishAndWait(RECORD, LONG).offset()).isZero();
        }
    }

    @Test
    void nobodyMayPublishOnceTheProducerIsClosed() {
        try (SpillwayClient client = client()) {
            Producer producer = client.producer("t").open();
            assertThat(producer.mayPublish()).isTrue();
            producer.close();
            assertThat(producer.mayPublish()).isFalse();
        }
    }
}
