package io.spillway.system;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.spillway.client.GroupDescription;
import io.spillway.client.Header;
import io.spillway.client.Message;
import io.spillway.client.OutgoingRecord;
import io.spillway.client.Producer;
import io.spillway.client.PublishAck;
import io.spillway.client.SeekOutcome;
import io.spillway.client.SpillwayClient;
import io.spillway.client.SpillwayException;
import io.spillway.client.StartPosition;
import io.spillway.client.Subscription;
import io.spillway.client.SubscriptionBuilder;
import io.spillway.protocol.Code;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInfo;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Groups on a real broker: leases, redelivery, dead letters, seeks, and their memory across kill -9. */
@Timeout(120)
class GroupTest {
    private static final Duration SOON = Duration.ofSeconds(20);
    private static final Duration SHORT = Duration.ofMillis(300);

    @TempDir
    static Path directory;

    private static BrokerProcess broker;
    private static SpillwayClient client;

    @BeforeAll
    static void start() {
        broker = BrokerProcess.start(directory.resolve("data"));
        client = broker.client();
    }

    @AfterAll
    static void stop() {
        client.close();
        broker.close();
    }

    private static String topic(TestInfo test, int records) {
        String topic = test.getTestMethod().orElseThrow().getName();
        client.admin().createTopic(topic, 1, Map.of());
        try (Producer producer = client.producer(topic).open()) {
            for (int i = 0; i < records; i++) {
                producer.publish(OutgoingRecord.builder(("v" + i).getBytes(StandardCharsets.UTF_8))
                        .key("k" + i)
                        .header("h", "x")
                        .build());
            }
            producer.flush(SOON);
        }
        return topic;
    }

    private static SubscriptionBuilder group(String topic) {
        return client.subscribe(topic).group("g").start(StartPosition.earliest());
    }

    private static Message next(Subscription subscription) {
        return Objects.requireNonNull(subscription.poll(SOON), "no message came in time");
    }

    private static String value(Message message) {
        return new String(message.value(), StandardCharsets.UTF_8);
    }

    private static Map<String, String> headers(Message message) {
        Map<String, String> headers = new HashMap<>();
        for (Header header : message.headers()) {
            headers.put(header.name(), new String(header.value(), StandardCharsets.UTF_8));
        }
        return headers;
    }

    @Test
    void deliversEachRecordToOneOfTheMembers(TestInfo test) {
        String topic = topic(test, 200);
        Set<String> got = new HashSet<>();
        try (Subscription one = group(topic).maxUnacked(20).open();
                Subscription two = group(topic).maxUnacked(20).open()) {
            int fromTwo = 0;
            while (got.size() < 200) {
                for (Message message : one.poll(10, SHORT)) {
                    assertThat(got.add(value(message))).as("delivered twice").isTrue();
                    message.ack();
                }
                for (Message message : two.poll(10, SHORT)) {
                    assertThat(got.add(value(message))).as("delivered twice").isTrue();
                    fromTwo++;
                    message.ack();
                }
            }
            assertThat(fromTwo).isBetween(1, 199);
        }
    }

    @Test
    void redeliversWhenALeaseRunsOut(TestInfo test) {
        String topic = topic(test, 1);
        try (Subscription group = group(topic).leaseTime(Duration.ofSeconds(1)).open()) {
            Message first = next(group);
            Message second = next(group);

            assertThat(first.attempt()).isEqualTo(1);
            assertThat(second.attempt()).isEqualTo(2);
            assertThat(second.offset()).isEqualTo(first.offset());
            second.ack();
            group.flushAcks(SOON);
        }
        assertThat(client.admin().describeGroup(topic, "g").partitions().get(0).cursor())
                .isEqualTo(1);
    }

    @Test
    void keepsAnExtendedLeaseAsLongAsWasAskedFor(TestInfo test) {
        String topic = topic(test, 1);
        try (Subscription group = group(topic).leaseTime(Duration.ofSeconds(1)).open()) {
            Message message = next(group);
            message.extend(Duration.ofMinutes(1));
            group.flushAcks(SOON);

            assertThat(group.poll(Duration.ofSeconds(3))).as("a redelivery").isNull();
            message.ack();
            group.flushAcks(SOON);
        }
        assertThat(client.admin().describeGroup(topic, "g").backlog()).isZero();
    }

    @Test
    void redeliversAfterANackAndItsDelay(TestInfo test) {
        String topic = topic(test, 1);
        try (Subscription group = group(topic).open()) {
            Message first = next(group);
            long nackedMs = System.currentTimeMillis();
            first.nack(Duration.ofMillis(700), "not now");

            Message again = next(group);

            assertThat(System.currentTimeMillis() - nackedMs).as("the delay").isGreaterThanOrEqualTo(700);
            assertThat(again.attempt()).isEqualTo(2);
            again.ack();
        }
    }

    @Test
    void givesBackWhatIsReleasedWithoutCountingAFailure(TestInfo test) {
        String topic = topic(test, 1);
        try (Subscription group = group(topic).maxDeliveries(2).open()) {
            for (int i = 0; i < 4; i++) {
                next(group).release();
            }

            next(group).ack();
            group.flushAcks(SOON);
        }
        assertThat(client.admin().describeGroup(topic, "g").backlog()).isZero();
    }

    @Test
    void movesARecordToTheDeadLettersAfterItsLastDelivery(TestInfo test) {
        String topic = topic(test, 2);
        try (Subscription group = group(topic).maxDeliveries(3).open()) {
            int failed = 0;
            while (failed < 3) {
                Message message = next(group);
                if (value(message).equals("v0")) {
                    message.nack(Duration.ZERO, "cannot parse");
                    failed++;
                } else {
                    message.ack();
                }
            }
            group.flushAcks(SOON);
        }

        Message dead = deadLetter(topic);
        assertThat(value(dead)).isEqualTo("v0");
        assertThat(dead.key()).asString().isEqualTo("k0");
        assertThat(headers(dead))
                .containsEntry("h", "x")
                .containsEntry("spillway-dlq-cause", "MAX_DELIVERIES")
                .containsEntry("spillway-dlq-topic", topic)
                .containsEntry("spillway-dlq-offset", "0")
                .containsEntry("spillway-dlq-attempts", "3")
                .containsEntry("spillway-dlq-error", "cannot parse");
        assertThat(client.admin().describeGroup(topic, "g").backlog()).isZero();
    }

    private static Message deadLetter(String topic) {
        try (Subscription dead =
                client.subscribe(topic + ".dlq").start(StartPosition.earliest()).open()) {
            return next(dead);
        }
    }

    @Test
    void movesATerminatedRecordToTheDeadLetters(TestInfo test) {
        String topic = topic(test, 1);
        try (Subscription group = group(topic).open()) {
            next(group).terminate("never");
            group.flushAcks(SOON);
        }

        assertThat(headers(deadLetter(topic)))
                .containsEntry("spillway-dlq-cause", "TERMINATED")
                .containsEntry("spillway-dlq-attempts", "1");
    }

    @Test
    void remembersWhatWasAckedAcrossAKill(TestInfo test) {
        String topic = topic(test, 100);
        try (Subscription group = group(topic).open()) {
            for (int i = 0; i < 60; i++) {
                next(group).ack();
            }
            group.flushAcks(SOON);
        }

        broker.kill9();
        broker.start();

        try (Subscription group = group(topic).open()) {
            Set<String> rest = new HashSet<>();
            while (rest.size() < 40) {
                Message message = next(group);
                rest.add(value(message));
                message.ack();
            }
            assertThat(rest).doesNotContain("v0", "v59").contains("v60", "v99");
        }
    }

    /** Thousands of leases end with the broker, and every late ack of theirs is refused in one answer. */
    @Test
    void goesOnAfterAKillInManySmallBatches() {
        int records = 4_000;
        try (BrokerProcess own = BrokerProcess.start(directory.resolve("small batches"));
                SpillwayClient apart = own.client()) {
            apart.admin().createTopic("small", 1, Map.of("durability", "mapped"));
            try (Producer producer = apart.producer("small").open()) {
                for (int i = 0; i < records; i++) {
                    producer.publishAndWait(OutgoingRecord.of(Numbers.value(i)), SOON);
                }
            }
            try (Subscription group = apart.subscribe("small").group("g").open()) {
                List<Message> held = new ArrayList<>();
                while (held.size() < records) {
                    held.add(next(group));
                }
                own.kill9();
                own.start();
                held.forEach(Message::ack);

                Set<Long> again = new HashSet<>();
                while (again.size() < records) {
                    Message message = next(group);
                    again.add(message.offset());
                    message.ack();
                }
                group.flushAcks(SOON);
            }
            assertThat(apart.admin().describeGroup("small", "g").backlog()).isZero();
        }
    }

    @Test
    void seeksToAnOffsetATimeAndTheEnds(TestInfo test) {
        String topic = topic(test, 50);
        Instant middle =
                Instant.ofEpochMilli(Numbers.readAll(client, topic).get(49).appendTimeMs() + 1);
        drain(topic, 50);
        try (Producer producer = client.producer(topic).open()) {
            PublishAck late = producer.publishAndWait(OutgoingRecord.of("late".getBytes(StandardCharsets.UTF_8)), SOON);
            assertThat(late.offset()).isEqualTo(50);
        }

        SeekOutcome dry = client.admin().seekGroup(topic, "g", StartPosition.earliest(), true, "look");
        assertThat(dry.applied()).isFalse();
        assertThat(dry.partitions().get(0).to()).isZero();
        assertThat(client.admin().describeGroup(topic, "g").partitions().get(0).cursor())
                .isEqualTo(50);

        client.admin().seekGroup(topic, "g", StartPosition.offset(0, 45), false, "replay");
        assertThat(drain(topic, 6)).startsWith("v45").endsWith("late");
        client.admin().seekGroup(topic, "g", StartPosition.time(middle), false, "replay");
        assertThat(drain(topic, 1)).containsExactly("late");
        client.admin().seekGroup(topic, "g", StartPosition.earliest(), false, "replay");
        assertThat(drain(topic, 51)).startsWith("v0");
        client.admin().seekGroup(topic, "g", StartPosition.earliest(), false, "replay");
        client.admin().seekGroup(topic, "g", StartPosition.latest(), false, "skip");
        assertThat(client.admin().describeGroup(topic, "g").backlog()).isZero();
        assertThatThrownBy(() -> client.admin().seekGroup(topic, "g", StartPosition.offset(0, 52), false, "too far"))
                .isInstanceOfSatisfying(
                        SpillwayException.class,
                        e -> assertThat(e.is(Code.POSITION_OUT_OF_RANGE)).isTrue());
    }

    /** A member with room for 20 records holds 20, of both partitions; it may not get more because one was rewound. */
    @Test
    void aSeekOfOnePartitionLeavesTheLeasesOfTheOthers(TestInfo test) {
        String topic = test.getTestMethod().orElseThrow().getName();
        client.admin().createTopic(topic, 2, Map.of());
        try (Producer producer = client.producer(topic).open();
                Subscription group = group(topic).maxUnacked(20).open()) {
            for (int i = 0; i < 100; i++) {
                producer.publish(
                        OutgoingRecord.builder(new byte[1]).partition(i % 2).build(), (ack, error) -> {});
                producer.flush(SOON);
            }
            await("20 records are leased")
                    .atMost(SOON)
                    .until(() -> inFlight(topic).equals(List.of(10L, 10L)));

            client.admin().seekGroup(topic, "g", StartPosition.offset(0, 50), false, "skip");

            await("10 more are leased").atMost(SOON).until(() -> inFlight(topic).equals(List.of(0L, 20L)));
            assertThat(group.poll(100, SHORT)).hasSize(30);
            assertThat(group.poll(1, SHORT)).isEmpty();
        }
    }

    private static List<Long> inFlight(String topic) {
        return client.admin().describeGroup(topic, "g").partitions().stream()
                .map(GroupDescription.Partition::inFlight)
                .toList();
    }

    private static List<String> drain(String topic, int records) {
        List<String> values = new ArrayList<>();
        try (Subscription group = group(topic).open()) {
            while (values.size() < records) {
                Message message = next(group);
                values.add(value(message));
                message.ack();
            }
            group.flushAcks(SOON);
        }
        return values;
    }

    @Test
    void readsAsAStreamFromATimeWithoutAGroup(TestInfo test) {
        String topic = topic(test, 20);
        try (Subscription stream =
                client.subscribe(topic).start(StartPosition.offset(0, 15)).open()) {
            assertThat(value(next(stream))).isEqualTo("v15");
        }
        assertThat(client.admin().listGroups(topic)).isEmpty();
    }
}
