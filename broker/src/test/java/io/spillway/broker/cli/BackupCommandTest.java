package io.spillway.broker.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.spillway.client.Message;
import io.spillway.client.OutgoingRecord;
import io.spillway.client.Producer;
import io.spillway.client.PublishAck;
import io.spillway.client.SpillwayClient;
import io.spillway.client.StartPosition;
import io.spillway.client.Subscription;
import java.io.IOException;
import java.net.ServerSocket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Backups of brokers that run, and the brokers that are started on them. */
@Timeout(60)
class BackupCommandTest {
    private static final Duration PATIENCE = Duration.ofSeconds(20);
    private static final List<String> TOPICS = List.of("orders", "payments");
    private static final List<String> SMALL = List.of("shards=2", "log.segment-bytes=8MiB", "log.min-free-bytes=0");
    private static final int BACKUPS = 10;
    private static final String TEXT = "x".repeat(4_000);

    @TempDir
    Path directory;

    /** Publishes to a topic, each record with its own key, until it is told to stop. */
    private static final class Writer implements AutoCloseable {
        final Map<String, Long> acked = new ConcurrentHashMap<>();
        private final AtomicBoolean stopped = new AtomicBoolean();
        private final Producer producer;
        private final Thread thread;

        Writer(SpillwayClient client, String topic) {
            producer = client.producer(topic).open();
            thread = new Thread(
                    () -> {
                        for (int i = 0; !stopped.get(); i++) {
                            String key = topic + "-" + i;
                            producer.publish(record(key)).thenAccept(ack -> acked.put(key, ack.offset()));
                        }
                    },
                    "writer-" + topic);
            thread.start();
        }

        @Override
        public void close() throws Exception {
            stopped.set(true);
            thread.join();
            producer.close();
        }
    }

    private static OutgoingRecord record(String key) {
        return OutgoingRecord.builder((key + " " + TEXT).getBytes(StandardCharsets.UTF_8))
                .idempotencyKey(key)
                .build();
    }

    private static Map<Long, String> read(SpillwayClient client, String topic) {
        Map<Long, String> found = new TreeMap<>();
        try (Subscription reader =
                client.subscribe(topic).start(StartPosition.earliest()).open()) {
            for (Message next = reader.poll(PATIENCE); next != null; next = reader.poll(Duration.ofSeconds(1))) {
                found.put(next.offset(), new String(next.value(), StandardCharsets.UTF_8));
            }
        }
        return found;
    }

    private CommandRun backup(Path from, Path to) {
        return CommandRun.of("backup", from.toString(), to.toString(), "--rate", "0");
    }

    @Test
    void everythingAckedBeforeItBeganIsInItWhilePublishingGoesOn() throws Exception {
        Path data = directory.resolve("data");
        Path copy;
        Map<String, Map<String, Long>> before = new HashMap<>();
        byte[] zeros = new byte[1_000_000];
        long settled;
        long zerosAt;
        try (RunningBroker running = new RunningBroker(data, SMALL);
                SpillwayClient client = running.client()) {
            for (String topic : TOPICS) {
                client.admin().createTopic(topic, 1, Map.of());
            }
            try (Writer orders = new Writer(client, "orders");
                    Writer payments = new Writer(client, "payments");
                    Producer big = client.producer("orders").open()) {
                await("several segments")
                        .atMost(PATIENCE)
                        .until(() -> orders.acked.size() > 6_000 && payments.acked.size() > 2_000);
                settled = settle(client);
                zerosAt = big.publishAndWait(OutgoingRecord.of(zeros), PATIENCE).offset();
                int backups = 0;
                do { // one that fits between two syncs is no backup while publishing goes on
                    copy = directory.resolve("copy-" + ++backups);
                    before.put("orders", Map.copyOf(orders.acked));
                    before.put("payments", Map.copyOf(payments.acked));

                    CommandRun made = backup(data, copy);

                    assertThat(made.exitCode()).as(made.err()).isZero();
                    assertThat(made.out()).contains("everything acked before ", "2 shards");
                } while (backups < BACKUPS
                        && orders.acked.size()
                                == Objects.requireNonNull(before.get("orders")).size());
                assertThat(orders.acked.size())
                        .as("published meanwhile")
                        .isGreaterThan(
                                Objects.requireNonNull(before.get("orders")).size());
            }
        }
        assertThat(CommandRun.of("log", "verify", copy.toString()).out()).contains("ok: 2 shards");
        assertThat(leftIn(directory)).isEmpty();

        try (RunningBroker restored = new RunningBroker(copy, SMALL);
                SpillwayClient client = restored.client()) {
            for (String topic : TOPICS) {
                Map<Long, String> found = read(client, topic);
                Objects.requireNonNull(before.get(topic))
                        .forEach((key, offset) ->
                                assertThat(found.get(offset)).as(key).startsWith(key + " "));
            }
            assertThat(read(client, "orders").get(zerosAt)).hasSize(zeros.length);
            assertKeysAreRemembered(client, Objects.requireNonNull(before.get("orders")));
            try (Subscription group =
                    client.subscribe("orders").group("billing").open()) {
                Message next = Objects.requireNonNull(group.poll(PATIENCE));
                assertThat(next.offset()).as("settled before").isEqualTo(settled + 1);
            }
        }
    }

    /** Settles what is there, and returns the last offset. */
    private static long settle(SpillwayClient client) {
        try (Subscription group = client.subscribe("orders")
                .group("billing")
                .start(StartPosition.earliest())
                .open()) {
            long last = -1;
            while (last < 500) {
                Message message = Objects.requireNonNull(group.poll(PATIENCE));
                last = message.offset();
                message.ack();
            }
            group.flushAcks(PATIENCE);
            return last;
        }
    }

    private static void assertKeysAreRemembered(SpillwayClient client, Map<String, Long> acked) {
        try (Producer producer = client.producer("orders").open()) {
            for (String key : acked.keySet().stream().sorted().limit(50).toList()) {
                PublishAck again = producer.publishAndWait(record(key), PATIENCE);
                assertThat(again.duplicate()).as(key).isTrue();
                assertThat(again.offset()).as(key).isEqualTo(acked.get(key));
            }
            assertThat(producer.publishAndWait(record("another"), PATIENCE).duplicate())
                    .isFalse();
        }
    }

    private static List<String> leftIn(Path directory) throws IOException {
        try (Stream<Path> all = Files.walk(directory)) {
            return all.map(path -> String.valueOf(path.getFileName()))
                    .filter(name -> name.contains(".export-") || name.endsWith(".partial"))
                    .toList();
        }
    }

    @Test
    void theCopyOfAClustersNodeIsABrokerAloneOrBeginsANewCluster() throws Exception {
        Path data = directory.resolve("data");
        try (RunningBroker running = leader(data, clusterListen());
                SpillwayClient client = running.client()) {
            client.admin().createTopic("orders", 1, Map.of());
            publish(client, "before");
            for (String copy : List.of("alone", "founder")) {
                CommandRun made = backup(data, directory.resolve(copy));
                assertThat(made.exitCode()).as(made.err()).isZero();
            }
        }

        try (RunningBroker alone = new RunningBroker(directory.resolve("alone"), List.of());
                SpillwayClient client = alone.client()) {
            publish(client, "after");
            assertThat(read(client, "orders").values()).containsExactly("before", "after");
        }
        String listen = clusterListen();
        for (String value : List.of("first", "second")) {
            try (RunningBroker founder = leader(directory.resolve("founder"), listen);
                    SpillwayClient client = founder.client()) {
                publish(client, value);
                assertThat(read(client, "orders").values()).contains("before", "first");
            }
        }
    }

    private static RunningBroker leader(Path data, String listen) {
        RunningBroker started = new RunningBroker(data, List.of(listen));
        await("a leader").atMost(PATIENCE).until(() -> started.get("/readyz").statusCode() == 200);
        return started;
    }

    private static String clusterListen() throws IOException {
        try (ServerSocket free = new ServerSocket(0)) {
            return "cluster-listen=127.0.0.1:" + free.getLocalPort();
        }
    }

    private static void publish(SpillwayClient client, String value) {
        try (Producer producer = client.producer("orders").open()) {
            producer.publishAndWait(OutgoingRecord.of(value.getBytes(StandardCharsets.UTF_8)), PATIENCE);
        }
    }

    @Test
    void aDamagedLogIsCopiedAndSaidToBeDamaged() throws Exception {
        Path data = directory.resolve("data");
        try (RunningBroker running = new RunningBroker(data, List.of("shards=1"));
                SpillwayClient client = running.client()) {
            client.admin().createTopic("orders", 1, Map.of());
            publish(client, "payload to be damaged");
        }
        Path segment;
        try (Stream<Path> segments = Files.list(data.resolve("shard-0").resolve("segments"))) {
            segment = segments.filter(file -> file.toString().endsWith(".cq4"))
                    .findFirst()
                    .orElseThrow();
        }
        byte[] bytes = Files.readAllBytes(segment);
        int at = new String(bytes, StandardCharsets.ISO_8859_1).indexOf("payload to be damaged");
        bytes[at] ^= 1;
        Files.write(segment, bytes);

        CommandRun made = backup(data, directory.resolve("copy"));

        assertThat(made.exitCode()).isEqualTo(ExitCode.CORRUPT);
        assertThat(made.out()).contains("damaged: segment ", "CORRUPT_BATCH", "everything acked before");
    }

    @Test
    void whatCannotBeMeantIsRefusedAndLeavesNothing() throws Exception {
        Path data = directory.resolve("data");
        new RunningBroker(data, List.of()).close();
        Files.createDirectory(directory.resolve("there"));

        assertThat(backup(directory.resolve("there"), directory.resolve("copy")).err())
                .contains("is not a data directory");
        assertThat(backup(data, directory.resolve("there")).err()).contains("it is there already");
        assertThat(backup(data, data.resolve("copy")).err()).contains("in the data directory itself");
        assertThat(CommandRun.of("backup", data.toString(), "copy", "--rate", "fast")
                        .exitCode())
                .isEqualTo(ExitCode.USAGE);
        assertThat(leftIn(directory)).isEmpty();
    }
}
