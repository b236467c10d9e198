package io.spillway.client;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.spillway.protocol.Code;
import io.spillway.protocol.FrameKind;
import io.spillway.protocol.v1.Subscribe;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
final class SubscriptionTest {
    private static final Duration LONG = Duration.ofSeconds(20);
    private static final Duration SHORT = Duration.ofMillis(100);

    private final FakeBroker broker = new FakeBroker();
    private SpillwayClient client;
    private Producer producer;

    @BeforeEach
    void connect() {
        broker.on(() -> {
            broker.topics.create("orders", 2);
            return null;
        });
        client = SpillwayClient.builder()
                .endpoints(broker.endpoint())
                .clientName("billing")
                .requestTimeout(Duration.ofSeconds(3))
                .connect();
        producer = client.producer("orders").open();
    }

    @AfterEach
    void close() {
        client.close(Duration.ofSeconds(2));
        broker.close();
    }

    /** Publishes that many records to partition 0, in one batch. */
    private void publish(int from, int to) {
        for (int i = from; i < to; i++) {
            producer.publish(OutgoingRecord.builder(Integer.toString(i).getBytes(UTF_8))
                    .key("k" + i)
                    .partition(0)
                    .build());
        }
        producer.flush(LONG);
    }

    @Test
    void whatIsNotOpenInTimeIsGivenBack() {
        broker.silentOn = FrameKind.SUBSCRIBE;

        assertThatThrownBy(() -> client.subscribe("orders").group("g").open())
                .isInstanceOfSatisfying(
                        SpillwayException.class,
                        e -> assertThat(e.is(Code.DEADLINE_EXCEEDED)).isTrue());

        await().untilAsserted(() -> assertThat(broker.received).contains(FrameKind.UNSUBSCRIBE));
    }

    private static String text(@Nullable Message message) {
        return message == null ? "nothing" : new String(message.value(), UTF_8);
    }

    private static List<String> take(Subscription subscription, int count) {
        List<String> values = new ArrayList<>();
        while (values.size() < count) {
            List<Message> some = subscription.poll(count - values.size(), LONG);
            assertThat(some).as("more messages after " + values.size()).isNotEmpty();
            some.forEach(message -> {
                values.add(text(message));
                message.ack();
            });
        }
        return values;
    }

    private static List<String> numbers(int from, int to) {
        return IntStream.range(from, to).mapToObj(Integer::toString).toList();
    }

    private List<String> settlements() {
        return broker.on(() -> List.copyOf(broker.topics.settlements));
    }

    private List<Subscribe> subscribed() {
        return broker.on(() -> broker.topics.subscribers.stream()
                .map(subscriber -> subscriber.asked)
                .toList());
    }

    @Test
    void readsARecordWithAllItsParts() {
        try (Subscription reader =
                client.subscribe("orders").start(StartPosition.earliest()).open()) {
            producer.publishAndWait(
                    OutgoingRecord.builder("value".getBytes(UTF_8))
                            .key("key")
                            .header("a", "1")
                            .header("b", new byte[0])
                            .idempotencyKey("id")
                            .timestampMs(123)
                            .trace(new byte[26])
                            .partition(1)
                            .build(),
                    LONG);

            Message message = Objects.requireNonNull(reader.poll(LONG));

            assertThat(message.topic()).isEqualTo("orders");
            assertThat(message.partition()).isEqualTo(1);
            assertThat(message.offset()).isZero();
            assertThat(message.key()).asString(UTF_8).isEqualTo("key");
            assertThat(message.value()).asString(UTF_8).isEqualTo("value");
            assertThat(UTF_8.decode(message.valueBuffer()).toString()).isEqualTo("value");
            assertThat(message.headers()).extracting(Header::name).containsExactly("a", "b");
            assertThat(message.headers().get(0).text()).isEqualTo("1");
            assertThat(message.idempotencyKey()).asString(UTF_8).isEqualTo("id");
            assertThat(message.timestampMs()).isEqualTo(123);
            assertThat(message.appendTimeMs()).isEqualTo(FakeTopics.APPEND_TIME_MS);
            assertThat(message.trace()).hasSize(26);
            assertThat(message.attempt()).isEqualTo(1);
            assertThat(reader.partitions()).containsExactly(0, 1);
        }
    }

    @Test
    void pollReturnsNullWhenNothingComes() {
        try (Subscription reader = client.subscribe("orders").open()) {
            assertThat(reader.poll(SHORT)).isNull();
            assertThat(reader.poll(5, Duration.ZERO)).isEmpty();
        }
    }

    @Test
    void aReaderGoesOnBehindWhatItHadAfterAReconnect() {
        try (Subscription reader =
                client.subscribe("orders").start(StartPosition.earliest()).open()) {
            publish(0, 100);
            assertThat(take(reader, 50)).isEqualTo(numbers(0, 50));

            broker.cutConnections();
            publish(100, 200);

            assertThat(take(reader, 150)).isEqualTo(numbers(50, 200));
            assertThat(reader.poll(SHORT)).isNull();
        }
    }

    @Test
    void aReaderFromTheLatestMissesNothingOfAnOutage() {
        publish(0, 10);
        try (Subscription reader = client.subscribe("orders").open()) {
            broker.stop();
            broker.start();
            publish(10, 20);

            assertThat(take(reader, 10)).isEqualTo(numbers(10, 20));
        }
    }

    @Test
    void readsFromAnOffsetInsideABatch() {
        publish(0, 10);
        long batches =
                broker.on(() -> broker.topics.partition("orders", 0).batches.size());
        try (Subscription reader =
                client.subscribe("orders").start(StartPosition.offset(0, 7)).open()) {
            assertThat(subscribed().get(0).getPartitionsList()).containsExactly(0);
            assertThat(subscribed().get(0).getStart().getOffset()).isEqualTo(7);
            assertThat(batches).isPositive();
        }
    }

    @Test
    void grantsCreditAsItConsumes() {
        try (Subscription reader = client.subscribe("orders")
                .start(StartPosition.earliest())
                .creditBytes(1 << 20)
                .open()) {
            byte[] value = new byte[100_000];
            for (int i = 0; i < 40; i++) {
                producer.publish(OutgoingRecord.of(value));
            }
            producer.flush(LONG);
            await().until(() -> broker.on(() -> broker.topics.subscribers.get(0).sentBatches) == 10);

            for (int i = 0; i < 40; i++) {
                assertThat(reader.poll(LONG)).isNotNull();
            }

            await().untilAsserted(() -> assertThat(broker.on(() ->
                            broker.topics.subscribers.get(0).granted.getCredit().getMaxBytes()))
                    .isGreaterThanOrEqualTo(4_000_000));
        }
    }

    @Test
    void neverStarvesWhateverTheSizesOfItsBatches() {
        try (Subscription reader = client.subscribe("orders")
                .start(StartPosition.earliest())
                .creditBytes(1 << 20)
                .open()) {
            int[] sizes = {100_000, 300_000, 700_000, 1_000_000, 510_000, 530_000, 90_000};
            for (int i = 0; i < 60; i++) {
                producer.publish(OutgoingRecord.of(new byte[sizes[i % sizes.length]]));
            }

            for (int i = 0; i < 60; i++) {
                assertThat(reader.poll(LONG)).as("message " + i).isNotNull();
            }
        }
    }

    @Test
    void acksTravelInRanges() {
        try (Subscription member = client.subscribe("orders").group("g").open()) {
            publish(0, 1_000);
            take(member, 1_000);

            member.flushAcks(LONG);

            assertThat(settlements().size()).isLessThan(200);
            assertThat(settlements().stream()
                            .mapToLong(SubscriptionTest::records)
                            .sum())
                    .isEqualTo(1_000);
        }
    }

    private static long records(String settlement) {
        String[] bounds = settlement.substring(settlement.lastIndexOf(' ') + 1).split("-", -1);
        return Long.parseLong(bounds[1]) - Long.parseLong(bounds[0]) + 1;
    }

    @Test
    void settlesInEveryWayAndOnlyOnce() {
        try (Subscription member = client.subscribe("orders").group("g").open()) {
            publish(0, 5);
            List<Message> messages = new ArrayList<>();
            while (messages.size() < 5) {
                messages.addAll(member.poll(5, LONG));
            }

            messages.get(0).ack();
            messages.get(0).nack(Duration.ZERO, "too late");
            messages.get(1).nack(Duration.ofSeconds(2), "broken");
            messages.get(2).release();
            messages.get(3).terminate("poison");
            messages.get(4).extend(Duration.ofSeconds(60));
            member.flushAcks(LONG);

            assertThat(settlements()).containsExactlyInAnyOrder("0 0 0-0", "1 0 1-1", "4 0 2-2", "3 0 3-3", "2 0 4-4");
        }
    }

    @Test
    void acksMadeDuringAnOutageAreSentAfterIt() {
        try (Subscription member = client.subscribe("orders").group("g").open()) {
            publish(0, 3);
            List<Message> messages = new ArrayList<>();
            while (messages.size() < 3) {
                messages.addAll(member.poll(3, LONG));
            }
            broker.stop();
            await().until(() -> broker.connections() == 0);

            messages.forEach(Message::ack);
            broker.start();
            member.flushAcks(LONG);

            assertThat(settlements().stream()
                            .mapToLong(SubscriptionTest::records)
                            .sum())
                    .isEqualTo(3);
        }
    }

    @Test
    void saysWhichLeasesWereLost() {
        List<LostLeases> lost = new CopyOnWriteArrayList<>();
        try (Subscription member =
                client.subscribe("orders").group("g").onLostLeases(lost::add).open()) {
            broker.on(() -> broker.topics.leasesLostUpToFence = 1_000);
            publish(0, 1);
            take(member, 1);

            member.flushAcks(LONG);

            assertThat(lost).hasSize(1);
            assertThat(lost.get(0).firstOffset()).isZero();
            assertThat(lost.get(0).cause().is(Code.LEASE_LOST)).isTrue();
        }
    }

    @Test
    void saysWhichSettlementsWereNotConfirmedWhenItCloses() {
        List<LostLeases> lost = new CopyOnWriteArrayList<>();
        Subscription member =
                client.subscribe("orders").group("g").onLostLeases(lost::add).open();
        publish(0, 1);
        Message message = Objects.requireNonNull(member.poll(LONG));
        broker.stop();
        await().until(() -> broker.connections() == 0);
        message.ack();

        member.close();

        assertThat(lost).hasSize(1);
        assertThat(lost.get(0).cause().is(Code.CONNECTION_LOST)).isTrue();
    }

    @Test
    void acksAreSentAgainWhenTheBrokerIsNotReady() {
        try (Subscription member = client.subscribe("orders").group("g").open()) {
            publish(0, 1);
            broker.on(() -> broker.requestRefusals.add(FakeBroker.error(Code.NOT_READY, 0)));
            take(member, 1);

            member.flushAcks(LONG);

            assertThat(settlements()).containsExactly("0 0 0-0");
        }
    }

    @Test
    void messagesWhoseLeaseIsAboutToEndAreReleasedInsteadOfHandedOut() {
        broker.on(() -> broker.topics.leaseMs = 50);
        try (Subscription member = client.subscribe("orders").group("g").open()) {
            publish(0, 1);
            await().until(() -> broker.on(() -> broker.topics.subscribers.get(0).sentBatches) == 1);
            await().pollDelay(SHORT).until(() -> true);

            assertThat(member.poll(SHORT)).isNull();

            await().until(() -> settlements().equals(List.of("4 0 0-0")));
        }
    }

    @Test
    void aDamagedDeliveryIsNackedByAGroup() {
        broker.on(() -> broker.topics.corruptDeliveries = 1);
        try (Subscription member = client.subscribe("orders").group("g").open()) {
            publish(0, 1);

            await().until(() -> settlements().equals(List.of("1 0 0-0")));
            assertThat(member.poll(Duration.ZERO)).isNull();
        }
    }

    @Test
    void aDamagedDeliveryIsReadAgainByAReader() {
        broker.on(() -> broker.topics.corruptDeliveries = 1);
        try (Subscription reader =
                client.subscribe("orders").start(StartPosition.earliest()).open()) {
            publish(0, 3);

            assertThat(take(reader, 3)).isEqualTo(numbers(0, 3));
        }
    }

    @Test
    void aReaderEndsWhenABatchStaysDamaged() {
        broker.on(() -> broker.topics.corruptDeliveries = 1_000);
        try (Subscription reader =
                client.subscribe("orders").start(StartPosition.earliest()).open()) {
            publish(0, 1);

            assertThatThrownBy(() -> reader.poll(LONG))
                    .isInstanceOfSatisfying(
                            SpillwayException.class,
                            e -> assertThat(e.is(Code.CHECKSUM_MISMATCH)).isTrue());
            await().untilAsserted(() -> assertThat(reader.ended()).isCompletedExceptionally());
        }
    }

    @Test
    void handlersAckWhatTheyHandleAndNackWhatTheyCannot() {
        Set<String> handled = ConcurrentHashMap.newKeySet();
        AtomicInteger failures = new AtomicInteger();
        Subscription worker = client.subscribe("orders")
                .group("g")
                .start(
                        message -> {
                            if (message.offset() == 3) {
                                failures.incrementAndGet();
                                throw new IllegalStateException("cannot handle " + message);
                            }
                            handled.add(text(message));
                        },
                        4);
        publish(0, 10);

        await().atMost(LONG).until(() -> handled.size() == 9 && failures.get() == 1);
        worker.close();

        assertThat(settlements()).contains("1 0 3-3");
        assertThat(settlements().stream()
                        .filter(settlement -> settlement.startsWith("0"))
                        .mapToLong(SubscriptionTest::records)
                        .sum())
                .isEqualTo(9);
    }

    @Test
    void closeWaitsForHandlersAndReleasesTheRest() {
        CountDownLatch running = new CountDownLatch(1);
        CountDownLatch mayEnd = new CountDownLatch(1);
        Subscription worker = client.subscribe("orders")
                .group("g")
                .start(
                        message -> {
                            running.countDown();
                            mayEnd.await();
                        },
                        1);
        publish(0, 10);
        await().until(() -> running.getCount() == 0);

        Thread closer = new Thread(worker::close);
        closer.start();
        await().until(() -> worker.ended().isDone() || closer.getState() == Thread.State.TIMED_WAITING);
        mayEnd.countDown();
        await().until(() -> worker.ended().isDone());

        assertThat(settlements().stream()
                        .filter(s -> s.startsWith("0"))
                        .mapToLong(SubscriptionTest::records)
                        .sum())
                .isEqualTo(1);
        assertThat(settlements().stream()
                        .filter(s -> s.startsWith("4"))
                        .mapToLong(SubscriptionTest::records)
                        .sum())
                .isEqualTo(9);
        assertThat(broker.count(FrameKind.UNSUBSCRIBE)).isEqualTo(1);
    }

    @Test
    void pollAfterCloseSaysSo() {
        Subscription reader = client.subscribe("orders").open();
        reader.close();

        assertThatThrownBy(() -> reader.poll(LONG))
                .isInstanceOfSatisfying(
                        SpillwayException.class,
                        e -> assertThat(e.is(Code.CLIENT_CLOSED)).isTrue());
        assertThat(reader.ended()).isCompleted();
    }

    @Test
    void saysThatATopicDoesNotExist() {
        assertThatThrownBy(() -> client.subscribe("ordrs").group("g").open())
                .isInstanceOfSatisfying(
                        SpillwayException.class,
                        e -> assertThat(e.is(Code.TOPIC_NOT_FOUND)).isTrue());
    }

    @Test
    void asksForWhatItWasSetTo() {
        try (Subscription member = client.subscribe("orders")
                .group("g")
                .start(StartPosition.latest())
                .leaseTime(Duration.ofSeconds(7))
                .maxUnacked(11)
                .maxDeliveries(3)
                .open()) {
            Subscribe asked = subscribed().get(0);

            assertThat(member.topic()).isEqualTo("orders");
            assertThat(asked.getGroup()).isEqualTo("g");
            assertThat(asked.getMode()).isZero();
            assertThat(asked.getStart().getKind()).isEqualTo(StartPosition.LATEST);
            assertThat(asked.getLeaseMs()).isEqualTo(7_000);
            assertThat(asked.getMaxUnacked()).isEqualTo(11);
            assertThat(asked.getMaxDeliveries()).isEqualTo(3);
            assertThat(asked.getConsumerName()).isEqualTo("billing");
        }
    }
}
