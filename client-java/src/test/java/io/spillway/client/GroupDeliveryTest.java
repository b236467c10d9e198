package io.spillway.client;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.buffer.UnpooledByteBufAllocator;
import io.spillway.protocol.Code;
import io.spillway.protocol.RecordBatchWriter;
import io.spillway.protocol.RecordParts;
import io.spillway.protocol.RecordView;
import io.spillway.protocol.v1.AckItem;
import io.spillway.protocol.v1.ItemError;
import io.spillway.protocol.v1.Subscribe;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.zip.CRC32C;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What groups, their records' times and idempotency keys add to publishing and consuming. */
@Timeout(60)
final class GroupDeliveryTest {
    private static final Duration LONG = Duration.ofSeconds(20);
    private static final Duration SHORT = Duration.ofMillis(100);

    private final FakeBroker broker = new FakeBroker();
    private SpillwayClient client;
    private Producer producer;

    @BeforeEach
    void connect() {
        broker.on(() -> {
            broker.topics.create("orders", 1);
            return null;
        });
        client = SpillwayClient.builder().endpoints(broker.endpoint()).connect();
        producer = client.producer("orders").open();
    }

    @AfterEach
    void close() {
        client.close(Duration.ofSeconds(2));
        broker.close();
    }

    private void publish(String... values) {
        for (String value : values) {
            producer.publish(OutgoingRecord.of(value.getBytes(UTF_8)));
        }
        producer.flush(LONG);
    }

    private Subscription member() {
        return client.subscribe("orders").group("g").open();
    }

    private List<AckItem> settled() {
        return broker.on(() -> List.copyOf(broker.topics.settled));
    }

    private static boolean isInvalid(Throwable thrown) {
        return thrown instanceof SpillwayException known && known.is(Code.INVALID_ARGUMENT);
    }

    // ---- records

    @Test
    void timesOfARecordTravelWithIt() {
        long before = System.currentTimeMillis();
        producer.publishAndWait(
                OutgoingRecord.builder("a".getBytes(UTF_8))
                        .deliverAt(Instant.ofEpochMilli(5_000))
                        .expiresAt(Instant.ofEpochMilli(7_000))
                        .build(),
                LONG);
        producer.publishAndWait(
                OutgoingRecord.builder("b".getBytes(UTF_8))
                        .deliverAfter(Duration.ofHours(1))
                        .expiresAfter(Duration.ofHours(2))
                        .build(),
                LONG);
        producer.publishAndWait(OutgoingRecord.of("c".getBytes(UTF_8)), LONG);
        long after = System.currentTimeMillis();

        List<long[]> times = broker.on(() -> broker.topics.partition("orders", 0).batches.stream()
                .map(stored -> {
                    RecordView view = new RecordView().wrap(Unpooled.wrappedBuffer(stored.bytes()), 0);
                    view.next();
                    return new long[] {view.deliverAtMs(), view.expiresAtMs()};
                })
                .toList());
        assertThat(times.get(0)).containsExactly(5_000, 7_000);
        assertThat(times.get(1)[0]).isBetween(before + 3_600_000, after + 3_600_000);
        assertThat(times.get(1)[1]).isEqualTo(times.get(1)[0] + 3_600_000);
        assertThat(times.get(2)).containsExactly(-1, -1);
    }

    @Test
    void theFirstAttemptIsAHeader() {
        try (Subscription reader =
                client.subscribe("orders").start(StartPosition.earliest()).open()) {
            OutgoingRecord.Builder record = OutgoingRecord.builder("a".getBytes(UTF_8))
                    .idempotencyKey("key")
                    .firstAttempt(Instant.ofEpochMilli(1_234));
            producer.publishAndWait(record.build(), LONG);

            Message message = Objects.requireNonNull(reader.poll(LONG));

            assertThat(message.headers()).hasSize(1);
            assertThat(message.headers().get(0).name()).isEqualTo("spillway-first-attempt");
            assertThat(message.headers().get(0).text()).isEqualTo("1234");
            assertThat(message.expiresAt()).isNull();
            assertThat(message.timeLeft()).isNull();
        }
    }

    @Test
    void timesBeforeTheEpochAndNegativeWaitsAreRefused() {
        OutgoingRecord.Builder record = OutgoingRecord.builder(new byte[0]);

        assertThatThrownBy(() -> record.deliverAt(Instant.EPOCH.minusMillis(1))).matches(GroupDeliveryTest::isInvalid);
        assertThatThrownBy(() -> record.expiresAt(Instant.MAX)).matches(GroupDeliveryTest::isInvalid);
        assertThatThrownBy(() -> record.deliverAfter(Duration.ofMillis(-1))).matches(GroupDeliveryTest::isInvalid);
        assertThatThrownBy(() -> record.expiresAfter(Duration.ofDays(40_000))).matches(GroupDeliveryTest::isInvalid);
        assertThatThrownBy(() -> record.firstAttempt(Instant.MIN)).matches(GroupDeliveryTest::isInvalid);
    }

    @Test
    void timeLeftIsCountedByTheBrokersClock() {
        broker.on(() -> broker.topics.brokerMs = 1_000_000);
        try (Subscription member = member()) {
            producer.publishAndWait(
                    OutgoingRecord.builder(new byte[0])
                            .expiresAt(Instant.ofEpochMilli(1_060_000))
                            .build(),
                    LONG);
            producer.publishAndWait(
                    OutgoingRecord.builder(new byte[0])
                            .expiresAt(Instant.ofEpochMilli(999_000))
                            .build(),
                    LONG);

            Message fresh = Objects.requireNonNull(member.poll(LONG));
            Message late = Objects.requireNonNull(member.poll(LONG));

            assertThat(fresh.expiresAt()).isEqualTo(Instant.ofEpochMilli(1_060_000));
            assertThat(fresh.timeLeft()).isBetween(Duration.ofMillis(1), Duration.ofMinutes(1));
            assertThat(late.timeLeft()).isZero();
        }
    }

    @Test
    void aKeyInProgressIsPublishedAgainUntilItHasAResult() {
        ItemError inProgress = ItemError.newBuilder()
                .setIndex(1)
                .setCount(1)
                .setError(FakeBroker.error(Code.IDEMPOTENCY_IN_PROGRESS, 50))
                .build();
        broker.on(() -> broker.topics.itemErrors.add(inProgress));
        List<CompletableFuture<PublishAck>> acks = new ArrayList<>();
        try (Producer patient =
                client.producer("orders").linger(Duration.ofMillis(200)).open()) {
            for (String key : List.of("first", "second", "third")) {
                acks.add(patient.publish(OutgoingRecord.builder(key.getBytes(UTF_8))
                        .idempotencyKey(key)
                        .key("k")
                        .header("h", "v")
                        .build()));
            }
            patient.flush(LONG);

            // the fake broker stored all three at first, and the second one once more
            assertThat(acks).allMatch(CompletableFuture::isDone);
            assertThat(acks.get(0).join().offset()).isZero();
            assertThat(acks.get(1).join().offset()).isEqualTo(3);
            assertThat(broker.on(() -> broker.topics.dedupIds("orders", 0)))
                    .containsExactly("first", "second", "third", "second");
        }
    }

    @Test
    void aKeyThatStaysInProgressFailsWithThat() {
        ItemError inProgress = ItemError.newBuilder()
                .setCount(1)
                .setError(FakeBroker.error(Code.IDEMPOTENCY_IN_PROGRESS, 60_000))
                .build();
        broker.on(() -> broker.topics.itemErrors.add(inProgress));

        assertThatThrownBy(() -> producer.publishAndWait(
                        OutgoingRecord.builder(new byte[0]).idempotencyKey("k").build(), LONG))
                .matches(thrown -> thrown instanceof SpillwayException known && known.is(Code.IDEMPOTENCY_IN_PROGRESS));
    }

    // ---- settling

    @Test
    void aNackWithoutADelayLeavesItToTheGroup() {
        broker.on(() -> broker.topics.failures = 2);
        try (Subscription member = member()) {
            publish("a");
            Message message = Objects.requireNonNull(member.poll(LONG));
            assertThat(message.attempt()).isEqualTo(3);
            assertThat(message.failures()).isEqualTo(2);

            message.nack("broken");
            member.flushAcks(LONG);

            assertThat(settled().get(0).getOutcome()).isEqualTo(DeliveredBatch.NACK);
            assertThat(settled().get(0).getDelayMs()).isZero();
            assertThat(settled().get(0).getDetail()).isEqualTo("broken");
        }
    }

    @Test
    void aHandlerThatFailsLeavesTheDelayToAGroupThatHasABackoff() {
        try (Subscription worker = client.subscribe("orders")
                .group("g")
                .retryBackoff(Duration.ofSeconds(3))
                .start(
                        message -> {
                            throw new IllegalStateException("as the test wants it");
                        },
                        1)) {
            publish("a");

            await().until(() -> !settled().isEmpty());
            assertThat(settled().get(0).getDelayMs()).isZero();
        }
    }

    @Test
    void aRecordThatCannotBeReadIsTerminatedAsPoisonAndTheNextOneIsRead() {
        try (Subscription member = member()) {
            broker.on(() -> {
                ByteBuf batch = withAnUnreadableRecord();
                broker.topics.append(broker.topics.partition("orders", 0), batch);
                broker.topics.deliver();
                return null;
            });

            List<String> read = new ArrayList<>();
            while (read.size() < 2) {
                Message message = Objects.requireNonNull(member.poll(LONG));
                read.add(new String(message.value(), UTF_8));
                message.ack();
            }
            member.flushAcks(LONG);

            assertThat(read).containsExactly("0", "2");
            AckItem poison = settled().stream()
                    .filter(item -> item.getOutcome() == DeliveredBatch.TERM)
                    .findFirst()
                    .orElseThrow();
            assertThat(poison.getFirst()).isEqualTo(1);
            assertThat(poison.getLast()).isEqualTo(1);
            assertThat(poison.getReason()).isEqualTo(1);
        }
    }

    /** Three records; the second one's flags announce nothing that there is. */
    private static ByteBuf withAnUnreadableRecord() {
        RecordBatchWriter writer = new RecordBatchWriter(UnpooledByteBufAllocator.DEFAULT, 1 << 16);
        for (String value : List.of("0", "1", "2")) {
            writer.add(RecordParts.of(0, value.getBytes(UTF_8)));
        }
        RecordBatchWriter.Batch batch = writer.finish(0, 0, 0);
        byte[] bytes = new byte[batch.bytes()];
        ByteBuf joined = Unpooled.wrappedBuffer(batch.head(), batch.body());
        joined.readBytes(bytes);
        joined.release();
        ByteBuf whole = Unpooled.wrappedBuffer(bytes);
        int recordBytes = RecordView.FIXED_BYTES + 1;
        whole.setByte(bytes.length - 2 * recordBytes + 4, 128);
        CRC32C crc = new CRC32C();
        crc.update(bytes, 32, bytes.length - 32);
        whole.setInt(28, (int) crc.getValue());
        return whole;
    }

    // ---- the group

    @Test
    void saysWhatTheGroupIsToBeLike() {
        try (Subscription member = client.subscribe("orders")
                .group("g")
                .mode(GroupMode.KEY_ORDERED)
                .filter("region = 'eu'")
                .retryBackoff(Duration.ofMillis(100), Duration.ofSeconds(1))
                .retryJitterPercent(0)
                .maxInFlight(7)
                .groupSetting("dlq.breaker.percent", "10")
                .open()) {
            Subscribe asked = broker.on(() -> broker.topics.subscribers.get(0).asked);

            assertThat(member.isActive()).isTrue();
            assertThat(asked.getMode()).isEqualTo(1);
            assertThat(asked.getFilter()).isEqualTo("region = 'eu'");
            assertThat(asked.getGroupConfigMap())
                    .isEqualTo(Map.of(
                            "retry.backoff.ms",
                            "100,1000",
                            "retry.jitter.percent",
                            "0",
                            "max.inflight",
                            "7",
                            "dlq.breaker.percent",
                            "10"));
        }
        try (Subscription member = client.subscribe("orders")
                .group("g")
                .retryBackoffBetween(Duration.ofMillis(1), Duration.ofMinutes(1))
                .open()) {
            Subscribe asked = broker.on(() -> broker.topics.subscribers.get(0).asked);

            assertThat(member.topic()).isEqualTo("orders");
            assertThat(asked.getGroupConfigMap()).containsEntry("retry.backoff.ms", "1..60000");
        }
    }

    @Test
    void settingsOfAGroupNeedOneAndHaveBounds() {
        SubscriptionBuilder builder = client.subscribe("orders");

        assertThatThrownBy(() -> client.subscribe("orders").filter("has(a)").open())
                .matches(GroupDeliveryTest::isInvalid);
        assertThatThrownBy(() ->
                        client.subscribe("orders").mode(GroupMode.EXCLUSIVE).open())
                .matches(GroupDeliveryTest::isInvalid);
        assertThatThrownBy(builder::retryBackoff).matches(GroupDeliveryTest::isInvalid);
        assertThatThrownBy(() -> builder.retryBackoff(Duration.ofDays(8))).matches(GroupDeliveryTest::isInvalid);
        assertThatThrownBy(() -> builder.retryBackoffBetween(Duration.ofSeconds(2), Duration.ofSeconds(1)))
                .matches(GroupDeliveryTest::isInvalid);
        assertThatThrownBy(() -> builder.retryJitterPercent(101)).matches(GroupDeliveryTest::isInvalid);
        assertThatThrownBy(() -> builder.maxInFlight(-1)).matches(GroupDeliveryTest::isInvalid);
        assertThatThrownBy(() -> builder.maxDeliveries(1_001)).matches(GroupDeliveryTest::isInvalid);
        assertThat(builder.maxDeliveries(1_000)).isSameAs(builder);
        assertThatThrownBy(() -> builder.filter("a".repeat(1_025))).matches(GroupDeliveryTest::isInvalid);
    }

    @Test
    void aStandbyBecomesActiveWhenItIsToldAndIsNoMoreWithoutAConnection() {
        broker.on(() -> broker.topics.role = 1);
        List<Boolean> heard = new CopyOnWriteArrayList<>();
        try (Subscription standby = client.subscribe("orders")
                .group("g")
                .mode(GroupMode.EXCLUSIVE)
                .onActive(heard::add)
                .open()) {
            assertThat(standby.isActive()).isFalse();

            broker.on(() -> {
                broker.topics.subscribers.get(0).handOver(true);
                return null;
            });
            await().until(standby::isActive);
            broker.stop();
            await().until(() -> !standby.isActive());

            assertThat(heard).containsExactly(true, false);
        }
    }

    // ---- draining

    @Test
    void aDrainWaitsForWhatWasHandedOutAndGivesBackTheRest() {
        Subscription member = member();
        publish("a", "b", "c");
        Message begun = Objects.requireNonNull(member.poll(LONG));
        CompletableFuture<Void> drained = CompletableFuture.runAsync(() -> member.drain(LONG));
        await().until(() -> !settled().isEmpty());

        assertThat(settled()).allMatch(item -> item.getOutcome() == DeliveredBatch.RELEASE);
        assertThat(drained).isNotDone();
        begun.ack();

        assertThat(drained).succeedsWithin(LONG);
        assertThat(member.ended()).isCompleted();
        assertThat(settled().get(settled().size() - 1).getOutcome()).isEqualTo(DeliveredBatch.ACCEPT);
    }

    @Test
    void aDrainWaitsForHandlers() {
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
        publish("a", "b");
        await().until(() -> running.getCount() == 0);
        CompletableFuture<Void> drained = CompletableFuture.runAsync(() -> worker.drain(LONG));
        await().until(() -> !settled().isEmpty());
        assertThat(drained).isNotDone();

        mayEnd.countDown();

        assertThat(drained).succeedsWithin(LONG);
        assertThat(settled())
                .filteredOn(item -> item.getOutcome() == DeliveredBatch.ACCEPT)
                .hasSize(1);
    }

    @Test
    void aDrainSaysThatSomethingWasNotSettledInTime() {
        Subscription member = member();
        publish("a");
        assertThat(member.poll(LONG)).isNotNull();

        assertThatThrownBy(() -> member.drain(SHORT))
                .matches(thrown -> thrown instanceof SpillwayException known && known.is(Code.DEADLINE_EXCEEDED));

        assertThat(member.ended()).isCompleted();
        assertThat(settled()).extracting(AckItem::getOutcome).containsExactly(DeliveredBatch.RELEASE);
    }
}
