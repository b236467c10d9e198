package io.spillway.client;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.spillway.protocol.Code;
import io.spillway.protocol.FrameKind;
import io.spillway.protocol.KeyHash;
import io.spillway.protocol.Limits;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
final class ProducerTest {
    private static final Duration LONG = Duration.ofSeconds(20);

    private final FakeBroker broker = new FakeBroker();
    private SpillwayClient client;

    @BeforeEach
    void connect() {
        broker.on(() -> {
            broker.topics.create("orders", 1);
            broker.topics.create("events", 4);
            return null;
        });
        client = SpillwayClient.builder()
                .endpoints(broker.endpoint())
                .requestTimeout(Duration.ofSeconds(3))
                .connect();
    }

    @AfterEach
    void close() {
        client.close(Duration.ofMillis(500));
        broker.close();
    }

    private static OutgoingRecord record(Object value) {
        return OutgoingRecord.of(value.toString().getBytes(UTF_8));
    }

    private List<String> stored(String topic, int partition) {
        return broker.on(() -> broker.topics.values(topic, partition));
    }

    private static List<String> numbers(int from, int to) {
        return IntStream.range(from, to).mapToObj(Integer::toString).toList();
    }

    private static SpillwayException failure(CompletableFuture<PublishAck> future) {
        Throwable failure = future.orTimeout(20, TimeUnit.SECONDS)
                .handle((ack, error) -> error)
                .join();
        assertThat(failure).isInstanceOf(SpillwayException.class);
        return (SpillwayException) failure;
    }

    @Test
    void acksWithOffsetAndDurability() {
        try (Producer producer = client.producer("orders").open()) {
            producer.publishAndWait(record("a"), LONG);

            PublishAck ack = producer.publishAndWait(record("b"), LONG);

            assertThat(ack)
                    .isEqualTo(new PublishAck(
                            "orders", 0, 1, Durability.SYNCED, false, false, FakeTopics.APPEND_TIME_MS, List.of()));
        }
    }

    @Test
    void storesManyRecordsInOrderInBatches() {
        List<CompletableFuture<PublishAck>> acks = new ArrayList<>();
        try (Producer producer = client.producer("orders").open()) {
            for (int i = 0; i < 20_000; i++) {
                acks.add(producer.publish(record(i)));
            }
            producer.flush(LONG);
        }

        assertThat(stored("orders", 0)).isEqualTo(numbers(0, 20_000));
        assertThat(acks.get(19_999).join().offset()).isEqualTo(19_999);
        assertThat(broker.count(FrameKind.PUBLISH)).isLessThan(5_000);
    }

    @Test
    void lingersForCompany() {
        try (Producer producer =
                client.producer("orders").linger(Duration.ofMillis(200)).open()) {
            CompletableFuture<PublishAck> first = producer.publish(record(1));
            producer.publish(record(2)).join();

            assertThat(first).isCompleted();
            assertThat(broker.count(FrameKind.PUBLISH)).isEqualTo(1);
        }
    }

    @Test
    void flushDoesNotLinger() {
        try (Producer producer =
                client.producer("orders").linger(Duration.ofMinutes(1)).open()) {
            CompletableFuture<PublishAck> ack = producer.publish(record(1));

            producer.flush(LONG);

            assertThat(ack).isCompleted();
        }
    }

    @Test
    void routesByKeyThenIdempotencyKeyThenPartition() {
        byte[] key = "customer-7".getBytes(UTF_8);
        byte[] id = "payment-9".getBytes(UTF_8);
        try (Producer producer = client.producer("events").open()) {
            PublishAck keyed = producer.publishAndWait(OutgoingRecord.of(key, new byte[1]), LONG);
            PublishAck named = producer.publishAndWait(
                    OutgoingRecord.builder(new byte[1]).idempotencyKey(id).build(), LONG);
            PublishAck placed = producer.publishAndWait(
                    OutgoingRecord.builder(new byte[1]).key(key).partition(3).build(), LONG);

            assertThat(keyed.partition()).isEqualTo(KeyHash.partition(KeyHash.of(key), 4));
            assertThat(named.partition()).isEqualTo(KeyHash.partition(KeyHash.of(id), 4));
            assertThat(placed.partition()).isEqualTo(3);
        }
    }

    @Test
    void spreadsRecordsWithoutKeyOverPartitions() {
        try (Producer producer = client.producer("events").open()) {
            for (int i = 0; i < 8; i++) {
                producer.publishAndWait(record(i), LONG);
            }
        }

        assertThat(IntStream.range(0, 4).mapToObj(p -> stored("events", p).size()))
                .containsExactly(2, 2, 2, 2);
    }

    @Test
    void sendsAgainAfterALostConnectionAndStoresOnce() {
        try (Producer producer = client.producer("orders").open()) {
            producer.publishAndWait(record(0), LONG);
            broker.on(() -> broker.cutsBeforeAck = 1);

            PublishAck ack = producer.publishAndWait(record(1), LONG);

            assertThat(ack.offset()).isEqualTo(1);
            assertThat(ack.duplicate()).isTrue();
            assertThat(stored("orders", 0)).isEqualTo(numbers(0, 2));
        }
    }

    @Test
    void ridesOutABrokerThatRestarts() {
        List<CompletableFuture<PublishAck>> acks = new ArrayList<>();
        try (Producer producer = client.producer("orders").open()) {
            for (int i = 0; i < 3_000; i++) {
                if (i == 1_000) {
                    broker.stop();
                } else if (i == 2_000) {
                    broker.start();
                }
                acks.add(producer.publish(record(i)));
            }
            producer.flush(LONG);

            assertThat(acks).allMatch(ack -> !ack.isCompletedExceptionally());
            assertThat(stored("orders", 0)).isEqualTo(numbers(0, 3_000));
        }
    }

    @Test
    void keepsTheOrderWhenABatchIsRefusedForNow() {
        try (Producer producer =
                client.producer("orders").maxBatchBytes(1 << 10).open()) {
            producer.publishAndWait(record(0), LONG);
            broker.on(() -> broker.publishRefusals.add(FakeBroker.error(Code.NOT_READY, 0)));
            for (int i = 1; i < 500; i++) {
                producer.publish(record(i));
            }
            producer.flush(LONG);
        }

        assertThat(stored("orders", 0)).isEqualTo(numbers(0, 500));
    }

    @Test
    void failsOneBatchForGoodAndGoesOnBehindIt() {
        try (Producer producer = client.producer("orders").open()) {
            producer.publishAndWait(record("before"), LONG);
            broker.on(() -> broker.publishRefusals.add(FakeBroker.error(Code.INVALID_ARGUMENT, 0)));

            CompletableFuture<PublishAck> bad = producer.publish(record("bad"));
            assertThat(failure(bad).is(Code.INVALID_ARGUMENT)).isTrue();
            producer.publishAndWait(record("after"), LONG);

            assertThat(stored("orders", 0)).containsExactly("before", "after");
        }
    }

    @Test
    void batchesBehindAHoleAreStoredUnderTheNextEpoch() {
        try (Producer producer =
                client.producer("orders").maxBatchBytes(1 << 10).open()) {
            broker.on(() -> broker.publishRefusals.add(FakeBroker.error(Code.INVALID_ARGUMENT, 0)));
            List<CompletableFuture<PublishAck>> acks = new ArrayList<>();
            for (int i = 0; i < 1_000; i++) {
                acks.add(producer.publish(record(i)));
            }
            await().atMost(LONG).until(() -> acks.stream().allMatch(CompletableFuture::isDone));

            int failed = (int) acks.stream()
                    .filter(CompletableFuture::isCompletedExceptionally)
                    .count();
            assertThat(failed).isBetween(1, 200);
            assertThat(stored("orders", 0)).isEqualTo(numbers(failed, 1_000));
        }
    }

    @Test
    void startsANewEpochWhenTheBrokerLostWhatItAcked() {
        try (Producer producer = client.producer("orders").open()) {
            producer.publishAndWait(record(0), LONG);
            producer.publishAndWait(record(1), LONG);
            broker.on(() -> {
                broker.topics.lose("orders", 0, 1);
                return null;
            });
            broker.cutConnections();

            producer.publishAndWait(record(2), LONG);

            assertThat(stored("orders", 0)).containsExactly("0", "2");
        }
    }

    @Test
    void asksForTheSequenceWhenTheBrokerSeesAGap() {
        try (Producer producer = client.producer("orders").open()) {
            producer.publishAndWait(record(0), LONG);
            broker.on(() -> broker.publishRefusals.add(FakeBroker.error(Code.SEQUENCE_GAP, 0)));

            producer.publishAndWait(record(1), LONG);

            assertThat(stored("orders", 0)).containsExactly("0", "1");
        }
    }

    @Test
    void whatWasNeverSentFailsSafely() {
        try (Producer producer = client.producer("orders")
                .deliveryTimeout(Duration.ofMillis(300))
                .open()) {
            broker.stop();
            await().until(() -> broker.connections() == 0);
            awaitDisconnected(producer);

            SpillwayException failure = failure(producer.publish(record(1)));

            assertThat(failure.is(Code.DEADLINE_EXCEEDED)).isTrue();
            assertThat(failure.outcomeUnknown()).isFalse();
            assertThat(failure.toString()).contains("orders/0", "no connection");
        }
    }

    /** Until a publish fails as never sent, the client has not noticed. */
    private void awaitDisconnected(Producer producer) {
        await().until(() -> failure(producer.publish(record("probe"))).is(Code.DEADLINE_EXCEEDED));
    }

    @Test
    void whatWasSentWithoutAnswerIsUnknown() {
        try (Producer producer = client.producer("orders")
                .deliveryTimeout(Duration.ofMillis(300))
                .open()) {
            broker.on(() -> broker.holdsAnswers = true);

            SpillwayException failure = failure(producer.publish(record(1)));

            assertThat(failure.is(Code.OUTCOME_UNKNOWN)).isTrue();
            assertThat(failure.outcomeUnknown()).isTrue();
        }
    }

    @Test
    void anUnknownOutcomeDoesNotDisturbWhatComesAfter() {
        try (Producer producer = client.producer("orders").open()) {
            broker.on(() -> broker.holdsAnswers = true);
            assertThatThrownBy(() -> producer.publishAndWait(record("late"), Duration.ofMillis(100)))
                    .isInstanceOfSatisfying(
                            SpillwayException.class,
                            e -> assertThat(e.is(Code.OUTCOME_UNKNOWN)).isTrue());

            CompletableFuture<PublishAck> next = producer.publish(record("next"));
            await().until(() -> stored("orders", 0).size() == 2);
            broker.answerHeld();

            assertThat(next.join().offset()).isEqualTo(1);
            assertThat(stored("orders", 0)).containsExactly("late", "next");
        }
    }

    @Test
    void sendsNoMoreThanTheCredit() {
        broker.on(() -> broker.topics.creditBatches = 2);
        try (Producer producer = client.producer("orders").open()) {
            producer.publishAndWait(record(0), LONG);
            producer.publishAndWait(record(1), LONG);
            CompletableFuture<PublishAck> third = producer.publish(record(2));

            assertThat(third).isNotDone();
            broker.on(() -> broker.topics.creditBatches = 3);
            broker.cutConnections(); // a new handle begins with new credit

            third.orTimeout(10, TimeUnit.SECONDS).join();
        }
    }

    @Test
    void saysWhenTheBufferIsFull() {
        try (Producer producer = client.producer("orders")
                .bufferBytes(1 << 10)
                .maxBlock(Duration.ofMillis(50))
                .open()) {
            broker.on(() -> broker.holdsAnswers = true);
            producer.publish(OutgoingRecord.of(new byte[1_000]));

            assertThat(failure(producer.publish(record(1))).is(Code.LOCAL_BUFFER_FULL))
                    .isTrue();
            assertThat(producer.tryPublish(record(1), (ack, error) -> {})).isFalse();

            broker.answerHeld();
            producer.flush(LONG);
            assertThat(producer.tryPublish(record(1), (ack, error) -> {})).isTrue();
        }
    }

    @Test
    void waitsForSpaceInTheBuffer() {
        try (Producer producer = client.producer("orders").bufferBytes(1 << 10).open()) {
            for (int i = 0; i < 50; i++) {
                producer.publish(OutgoingRecord.of(new byte[500]));
            }
            producer.flush(LONG);
        }

        assertThat(broker.on(() -> broker.topics.partition("orders", 0).records()))
                .isEqualTo(50);
    }

    @Test
    void refusesWhatIsTooLargeBeforeBuffering() {
        try (Producer producer = client.producer("orders").open()) {
            assertThatThrownBy(() -> producer.publish(OutgoingRecord.of(new byte[Limits.MAX_RECORD_BYTES])))
                    .isInstanceOf(SpillwayException.class)
                    .hasToString(
                            "TOO_LARGE (105): a record for orders has 1,048,504 bytes; cause: the limit is 1,048,496"
                                    + " bytes; next: make it smaller or split it");
            producer.publishAndWait(OutgoingRecord.of(new byte[Limits.MAX_RECORD_BYTES - 8]), LONG);
        }
    }

    @Test
    void refusesAPartitionThatDoesNotExist() {
        try (Producer producer = client.producer("events").open()) {
            assertThatThrownBy(() -> producer.publish(
                            OutgoingRecord.builder(new byte[0]).partition(4).build()))
                    .hasMessageContaining("partition 4 of events does not exist");
        }
    }

    @Test
    void saysThatATopicDoesNotExist() {
        assertThatThrownBy(() -> client.producer("ordrs").open())
                .isInstanceOfSatisfying(
                        SpillwayException.class,
                        e -> assertThat(e.is(Code.TOPIC_NOT_FOUND)).isTrue());
    }

    @Test
    void aFencedProducerFailsForGood() {
        try (Producer producer = client.producer("orders").name("billing").open()) {
            broker.on(() -> broker.publishRefusals.add(FakeBroker.error(Code.PRODUCER_FENCED, 0)));

            assertThat(failure(producer.publish(record(1))).is(Code.PRODUCER_FENCED))
                    .isTrue();
            assertThat(failure(producer.publish(record(2))).is(Code.PRODUCER_FENCED))
                    .isTrue();
        }
    }

    @Test
    void closeSendsWhatIsBufferedAndRefusesMore() {
        Producer producer =
                client.producer("orders").linger(Duration.ofSeconds(30)).open();
        CompletableFuture<PublishAck> ack = producer.publish(record(1));

        producer.close();

        assertThat(ack).isCompleted();
        assertThat(failure(producer.publish(record(2))).is(Code.CLIENT_CLOSED)).isTrue();
    }

    @Test
    void closeFailsWhatHasNoOutcomeInTime() {
        broker.on(() -> broker.holdsAnswers = true);
        Producer producer = client.producer("orders").open();
        CompletableFuture<PublishAck> sent = producer.publish(record(1));
        await().until(() -> broker.count(FrameKind.PUBLISH) == 1);

        producer.close(Duration.ofMillis(50));

        assertThat(failure(sent).is(Code.OUTCOME_UNKNOWN)).isTrue();
    }

    @Test
    void aThrottledProducerWaitsAsLongAsItWasTold() {
        try (Producer producer = client.producer("orders").open()) {
            producer.publishAndWait(record(0), LONG);
            broker.on(() -> broker.publishRefusals.add(FakeBroker.error(Code.THROTTLED, 200)));

            long start = System.nanoTime();
            producer.publishAndWait(record(1), LONG);

            assertThat(Duration.ofNanos(System.nanoTime() - start)).isGreaterThanOrEqualTo(Duration.ofMillis(200));
        }
    }

    @Test
    void blockingInACallbackIsRefused() {
        AtomicReference<Throwable> thrown = new AtomicReference<>();
        try (Producer producer = client.producer("orders").open()) {
            producer.publish(record(1), (ack, error) -> {
                try {
                    producer.publishAndWait(record(2), LONG);
                } catch (SpillwayException e) {
                    thrown.set(e);
                }
            });
            producer.flush(LONG);
        }

        assertThat(thrown.get()).hasMessageContaining("network thread");
    }
}
