package io.spillway.system;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.spillway.client.Message;
import io.spillway.client.OutgoingRecord;
import io.spillway.client.Producer;
import io.spillway.client.PublishAck;
import io.spillway.client.SpillwayClient;
import io.spillway.client.SpillwayException;
import io.spillway.client.StartPosition;
import io.spillway.client.Subscription;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Two brokers in processes of their own, one a copy of the other: what the copy holds, and what happens when it takes over. */
@Timeout(240)
class LinkTest {
    private static final Duration PATIENCE = Duration.ofSeconds(60);
    private static final Duration SOON = Duration.ofSeconds(20);

    @TempDir
    Path directory;

    private BrokerProcess source;
    private BrokerProcess copy;
    private SpillwayClient there;
    private SpillwayClient here;

    @BeforeEach
    void start() {
        source = BrokerProcess.start(directory.resolve("source"), "shards=2");
        copy = BrokerProcess.start(directory.resolve("copy"), "shards=3");
        there = source.client();
        here = copy.client();
    }

    @AfterEach
    void stop() {
        there.close();
        here.close();
        source.close();
        copy.close();
    }

    private Cli link(String... arguments) throws Exception {
        List<String> all = new ArrayList<>(List.of("link"));
        all.addAll(List.of(arguments));
        all.addAll(List.of("--http", copy.http()));
        return Cli.run(all.toArray(new String[0]));
    }

    private void create(String name, String topics) throws Exception {
        Cli created = link("create", name, "--from", source.wire(), "--topics", topics);
        assertThat(created.exit()).as(created.err()).isZero();
    }

    private String status(String name) throws Exception {
        Cli status = link("status", name);
        return status.out() + status.err();
    }

    private static String describe(BrokerProcess at) throws Exception {
        return Cli.run("topic", "describe", "orders", "--endpoint", at.wire()).out();
    }

    private static OutgoingRecord keyed(String key) {
        return OutgoingRecord.builder(("value of " + key).getBytes(StandardCharsets.UTF_8))
                .idempotencyKey(key)
                .build();
    }

    private static long end(SpillwayClient client, String topic) {
        return client.admin().describeTopic(topic).partitions().stream()
                .mapToLong(partition -> partition.endOffset())
                .sum();
    }

    private static boolean has(SpillwayClient client, String topic) {
        return client.admin().listTopics().stream().anyMatch(each -> each.name().equals(topic));
    }

    private void awaitCopied(String topic) {
        await(topic + " to be copied")
                .atMost(PATIENCE)
                .ignoreExceptions()
                .until(() -> end(here, topic) == end(there, topic));
    }

    private static void refused(Runnable act) {
        assertThatThrownBy(act::run)
                .isInstanceOfSatisfying(
                        SpillwayException.class, e -> assertThat(e.toString()).contains("READ_ONLY"));
    }

    /** Partition, offset, time and value of every record, in order. */
    private static List<String> content(SpillwayClient client, String topic) {
        List<String> all = new ArrayList<>();
        long expected = client.admin().describeTopic(topic).records();
        try (Subscription reader =
                client.subscribe(topic).start(StartPosition.earliest()).open()) {
            while (all.size() < expected) {
                List<Message> some = reader.poll(10_000, SOON);
                assertThat(some)
                        .as("records after %d of %d", all.size(), expected)
                        .isNotEmpty();
                for (Message message : some) {
                    all.add("%05d/%010d %d %s"
                            .formatted(
                                    message.partition(),
                                    message.offset(),
                                    message.appendTimeMs(),
                                    new String(message.value(), StandardCharsets.UTF_8)));
                }
            }
        }
        all.sort(null);
        return all;
    }

    /** All of a topic of one partition, in few bytes. */
    private static String digest(SpillwayClient client, String topic) throws Exception {
        long left = client.admin().describeTopic(topic).records();
        MessageDigest digest = MessageDigest.getInstance("SHA-256");
        try (Subscription reader =
                client.subscribe(topic).start(StartPosition.earliest()).open()) {
            while (left > 0) {
                List<Message> some = reader.poll(10_000, SOON);
                assertThat(some).as("records with %d left", left).isNotEmpty();
                for (Message message : some) {
                    digest.update((message.offset() + " " + message.appendTimeMs()).getBytes(StandardCharsets.UTF_8));
                    digest.update(message.value());
                    left--;
                }
            }
        }
        return HexFormat.of().formatHex(digest.digest());
    }

    @Test
    void aCopyHoldsTheSameRecordsAtTheSameOffsetsAndTakesNothingElse() throws Exception {
        there.admin().createTopic("orders", 3, Map.of("retention.ms", "3600000"));
        there.admin().createTopic("other", 1, Map.of());
        try (Producer producer = there.producer("orders").open()) {
            for (int i = 0; i < 300; i++) {
                producer.publish(keyed("k" + i));
            }
            producer.flush(SOON);
            create("l1", "orders,or*");
            awaitCopied("orders");
            for (int i = 300; i < 600; i++) {
                producer.publish(keyed("k" + i));
            }
            producer.flush(SOON);
        }
        there.admin().createTopic("orders2", 1, Map.of());
        await("a new topic that matches").atMost(PATIENCE).until(() -> has(here, "orders2"));
        awaitCopied("orders");

        assertThat(content(here, "orders")).isEqualTo(content(there, "orders"));
        assertThat(Cli.run("diagnose", "topic", "orders", "--http", copy.http()).out())
                .contains("topic orders: LINKED");
        assertThat(has(here, "other")).isFalse();
        assertThat(here.admin().describeTopic("orders").config()).containsEntry("retention.ms", "3600000");
        refused(() -> {
            try (Producer producer = here.producer("orders")
                    .deliveryTimeout(Duration.ofSeconds(2))
                    .open()) {
                producer.publishAndWait(keyed("new"), SOON);
            }
        });
        assertThatThrownBy(() -> here.admin().alterTopic("orders", Map.of("retention.ms", "1000")))
                .hasMessageContaining("is a copy");
        assertThat(link("create", "l2", "--from", source.wire(), "--topics", "ord*")
                        .isOneLineError("ALREADY_EXISTS"))
                .isTrue();
        assertThat(status("l1")).contains("orders2");
    }

    @Test
    void anOrderlyPromotionLosesNothingAndKeysAndGroupsHold() throws Exception {
        there.admin().createTopic("orders", 2, Map.of());
        List<PublishAck> acks = new ArrayList<>();
        try (Producer producer = there.producer("orders").open()) {
            for (int i = 0; i < 100; i++) {
                acks.add(producer.publishAndWait(keyed("k" + i), SOON));
            }
        }
        Set<String> left = new TreeSet<>();
        try (Subscription group = there.subscribe("orders").group("g").open()) {
            AtomicInteger seen = new AtomicInteger();
            while (seen.get() < 100) {
                for (Message message : group.poll(100, SOON)) {
                    if (seen.getAndIncrement() % 3 == 0) {
                        left.add(new String(message.value(), StandardCharsets.UTF_8));
                    } else {
                        message.ack();
                    }
                }
            }
            group.flushAcks(SOON);
        }
        create("l1", "orders");
        awaitCopied("orders");
        assertThat(describe(copy)).contains("copy:     of link l1, which alone writes it");
        Cli promoted = link("promote", "l1");

        assertThat(promoted.exit()).as(promoted.err()).isZero();
        assertThat(promoted.out()).contains("none").contains("is fenced");
        assertThat(describe(copy)).contains("epoch:    1").doesNotContain("copy:", "fenced:");
        assertThat(describe(source)).contains("epoch:    1", "fenced:   link l1 took it to another cluster");
        assertThat(there.admin().describeTopic("orders").life().fencedBy()).isEqualTo("l1");
        assertThat(content(here, "orders")).isEqualTo(content(there, "orders"));
        try (Producer producer = here.producer("orders").open()) {
            for (int i = 0; i < 100; i++) {
                PublishAck again = producer.publishAndWait(keyed("k" + i), SOON);
                assertThat(again.duplicate()).as("k%d", i).isTrue();
                assertThat(again.offset()).isEqualTo(acks.get(i).offset());
            }
            assertThat(producer.publishAndWait(keyed("new"), SOON).duplicate()).isFalse();
        }
        left.add("value of new");
        Set<String> delivered = new TreeSet<>();
        try (Subscription group = here.subscribe("orders").group("g").open()) {
            while (delivered.size() < left.size()) {
                List<Message> some = group.poll(100, SOON);
                assertThat(some)
                        .as("deliveries after %s of %s", delivered, left)
                        .isNotEmpty();
                for (Message message : some) {
                    assertThat(delivered.add(new String(message.value(), StandardCharsets.UTF_8)))
                            .isTrue();
                    message.ack();
                }
            }
        }
        assertThat(delivered).isEqualTo(left);
        source.kill9();
        source.start();
        refused(() -> {
            try (Producer producer = there.producer("orders")
                    .deliveryTimeout(Duration.ofSeconds(2))
                    .open()) {
                producer.publishAndWait(keyed("late"), SOON);
            }
        });
        copy.kill9();
        copy.start();
        await("the promoted topic").atMost(PATIENCE).ignoreExceptions().until(() -> end(here, "orders") == 101);
    }

    @Test
    void noRecordIsLostOrDoubledByWhoPublishesAcrossAPromotion() throws Exception {
        there.admin().createTopic("numbers", 2, Map.of());
        create("l1", "numbers");
        ConcurrentLinkedQueue<Integer> acked = new ConcurrentLinkedQueue<>();
        ConcurrentLinkedQueue<Integer> failed = new ConcurrentLinkedQueue<>();
        AtomicInteger sent = new AtomicInteger();
        try (Producer producer =
                there.producer("numbers").deliveryTimeout(Duration.ofSeconds(5)).open()) {
            Thread publisher = new Thread(() -> {
                while (failed.isEmpty()) {
                    int number = sent.getAndIncrement();
                    producer.publish(keyed("n" + number), (ack, error) -> (error == null ? acked : failed).add(number));
                    while (number - acked.size() > 2_000 && failed.isEmpty()) {
                        Thread.onSpinWait();
                    }
                }
            });
            publisher.start();
            await("records").atMost(PATIENCE).until(() -> acked.size() > 3_000);
            Cli promoted = link("promote", "l1");
            assertThat(promoted.exit()).as(promoted.err()).isZero();
            publisher.join(PATIENCE.toMillis());
            await("answers").atMost(PATIENCE).until(() -> acked.size() + failed.size() == sent.get());
        }
        try (Producer producer = here.producer("numbers").open()) {
            for (int number : failed) {
                producer.publish(keyed("n" + number));
            }
            producer.flush(SOON);
        }

        List<String> values = content(here, "numbers").stream()
                .map(line -> line.substring(line.indexOf("value")))
                .sorted()
                .toList();
        assertThat(values).hasSize(sent.get()).doesNotHaveDuplicates();
    }

    @Test
    @Tag("slow")
    void copyingGoesOnWhereItWasWhenEitherSideIsKilled() throws Exception {
        there.admin().createTopic("numbers", 1, Map.of());
        create("l1", "numbers");
        try (Numbers numbers = new Numbers(there, "numbers", 0)) {
            for (int round = 0; round < 2; round++) {
                long before = numbers.ackCount();
                await("records").atMost(PATIENCE).until(() -> numbers.ackCount() > before + 3_000);
                copy.kill9();
                copy.start();
                long later = numbers.ackCount();
                await("records").atMost(PATIENCE).until(() -> numbers.ackCount() > later + 3_000);
                source.kill9();
                source.start();
            }
            numbers.finish();
            assertThat(numbers.failures()).isEmpty();
        }
        awaitCopied("numbers");

        assertThat(digest(here, "numbers")).isEqualTo(digest(there, "numbers"));
        Cli promoted = link("promote", "l1");
        assertThat(promoted.exit()).as(promoted.err()).isZero();
        assertThat(digest(here, "numbers")).isEqualTo(digest(there, "numbers"));
    }

    @Test
    @Tag("slow")
    void aCopyBeginsWhereItsSourceDoes() throws Exception {
        there.admin().createTopic("numbers", 1, Map.of());
        try (Producer producer = there.producer("numbers").open()) {
            for (int i = 0; i < 100; i++) {
                producer.publishAndWait(keyed("a" + i), SOON);
            }
            there.admin().purgeTopic("numbers", StartPosition.offset(0, 60), "test");
            create("l1", "numbers");
            awaitCopied("numbers");
            assertThat(start(here)).isEqualTo(60);

            assertThat(copy.terminate()).isZero();
            for (int i = 0; i < 100; i++) {
                producer.publishAndWait(keyed("b" + i), SOON);
            }
            there.admin().purgeTopic("numbers", StartPosition.offset(0, 150), "test");
            copy.start();
            awaitCopied("numbers");
            await("the start").atMost(PATIENCE).until(() -> start(here) == 150);
            producer.publishAndWait(keyed("c"), SOON);
            awaitCopied("numbers");
        }
        assertThat(content(here, "numbers"))
                .isEqualTo(content(there, "numbers"))
                .hasSize(51);
        copy.kill9();
        copy.start();
        assertThat(content(here, "numbers")).isEqualTo(content(there, "numbers"));
    }

    private static long start(SpillwayClient client) {
        return client.admin().describeTopic("numbers").partitions().get(0).startOffset();
    }

    @Test
    void aForcedPromotionSaysWhatTheOldSourceHadAndFencesIt() throws Exception {
        there.admin().createTopic("numbers", 1, Map.of());
        create("l1", "numbers");
        try (Producer producer = there.producer("numbers").open()) {
            for (int i = 0; i < 50; i++) {
                producer.publishAndWait(keyed("a" + i), SOON);
            }
            awaitCopied("numbers");
            // The copy stands still while the source goes on, and the source dies before the copy is back.
            copy.signal("STOP");
            for (int i = 0; i < 7; i++) {
                producer.publishAndWait(keyed("b" + i), SOON);
            }
        }
        source.kill9();
        copy.signal("CONT");
        await("the link to notice").atMost(PATIENCE).until(() -> status("l1").contains("not connected"));
        Cli promoted = link("promote", "l1", "--force");

        assertThat(promoted.exit()).as(promoted.err()).isZero();
        assertThat(promoted.out()).contains("not known yet").contains("not fenced yet");
        long copied = end(here, "numbers");
        try (Producer producer = here.producer("numbers").open()) {
            assertThat(producer.publishAndWait(keyed("new"), SOON).offset()).isEqualTo(copied);
        }
        source.start();
        await("the old source to be fenced")
                .atMost(PATIENCE)
                .until(() -> status("l1").contains("source is fenced"));
        assertThat(status("l1")).contains(copied == 57 ? "none" : "offsets " + copied + " to 56");
        assertThat(there.admin().describeTopic("numbers").records()).isEqualTo(57);
        refused(() -> {
            try (Producer producer = there.producer("numbers")
                    .deliveryTimeout(Duration.ofSeconds(2))
                    .open()) {
                producer.publishAndWait(keyed("late"), SOON);
            }
        });
        Cli lifted = Cli.run("link", "lift", "numbers", "--http", source.http());
        assertThat(lifted.exit()).as(lifted.err()).isZero();
        try (Producer producer = there.producer("numbers").open()) {
            assertThat(producer.publishAndWait(keyed("again"), SOON).offset()).isEqualTo(57);
        }
    }

    @Test
    @Tag("slow")
    void aTopicThatIsThereAlreadyIsLeftAlone() throws Exception {
        there.admin().createTopic("numbers", 1, Map.of());
        here.admin().createTopic("numbers", 1, Map.of());
        create("l1", "numbers");
        await("the link to say so").atMost(PATIENCE).until(() -> status("l1").contains("that no link fills"));
        assertThat(Cli.run("diagnose", "node", "--http", copy.http()).out()).contains("link l1: LINK_TROUBLE");
        try (Producer producer = here.producer("numbers").open()) {
            assertThat(producer.publishAndWait(keyed("own"), SOON).offset()).isZero();
        }
    }
}
