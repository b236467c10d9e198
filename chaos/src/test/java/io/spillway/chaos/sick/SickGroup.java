package io.spillway.chaos.sick;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.spillway.chaos.clients.Client;
import io.spillway.client.GroupDescription;
import io.spillway.client.GroupMode;
import io.spillway.client.OutgoingRecord;
import io.spillway.client.Producer;
import io.spillway.client.SpillwayClient;
import io.spillway.conformance.driver.Language;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;

/** A group with consumers in processes of their own, a publisher, and an account of who got what when. Thread-safe. */
final class SickGroup implements AutoCloseable {
    private static final String TOPIC = "orders";
    private static final String GROUP = "g";
    private static final int KEYS = 64;
    private static final int LEASE_MS = 15_000;
    private static final int MOST_UNACKED = 40;

    /** One record that a consumer got. */
    private record Got(Consumer who, long atMs, String key, int partition, long offset, int failures) {}

    private final List<Got> got = new CopyOnWriteArrayList<>();
    private final List<Consumer> consumers = new ArrayList<>();
    private final List<Thread> threads = new ArrayList<>();
    private final SpillwayClient client;
    private final GroupMode mode;
    private final String endpoint;
    private final Path logs;
    private volatile boolean ended;
    private volatile long published;

    SickGroup(String endpoint, GroupMode mode, Path logs) {
        this.endpoint = endpoint;
        this.mode = mode;
        this.logs = logs;
        client = SpillwayClient.builder().endpoints(endpoint).connect();
        client.admin().createTopic(TOPIC, 2, Map.of());
    }

    /** One consumer: it takes what it gets, works a little on each, and acks it. */
    final class Consumer implements AutoCloseable {
        final String name;
        final Client client;

        private Consumer(String name, Language language) {
            this.name = name;
            client = Client.start(name, language, List.of(), logs);
        }

        private void consume() {
            while (!ended) {
                JsonNode messages = client.ask(Client.request("subscription.poll")
                                .put("subscription", "s")
                                .put("max", 10)
                                .put("timeout_ms", 500))
                        .get("messages");
                long nowMs = nowMs();
                for (JsonNode message : messages) {
                    got.add(new Got(
                            this,
                            nowMs,
                            message.path("key").asText(),
                            message.path("partition").asInt(),
                            message.path("offset").asLong(),
                            message.path("failures").asInt()));
                }
                if (!messages.isEmpty()) {
                    pause(messages.size());
                    ObjectNode ack = Client.request("message.ack").put("subscription", "s");
                    ArrayNode numbers = ack.putArray("messages");
                    messages.forEach(
                            message -> numbers.add(message.path("message").asInt()));
                    client.ask(ack);
                }
            }
        }

        @Override
        public void close() {
            client.close();
        }
    }

    /** @param machine where it reads how its machine is; null = the machine that is there */
    Consumer join(String name, Language language, @Nullable Path machine, boolean standby) {
        Consumer consumer = new Consumer(name, language);
        consumers.add(consumer);
        ObjectNode open =
                Client.request("client.open").put("client", Client.NAME).put("client_name", name);
        open.putArray("endpoints").add(endpoint);
        if (machine != null) {
            open.put("health_root", machine.toString());
        }
        consumer.client.ask(open);
        ObjectNode subscribe = Client.request("subscription.open")
                .put("client", Client.NAME)
                .put("subscription", "s")
                .put("topic", TOPIC)
                .put("group", GROUP)
                .put("name", name)
                .put("mode", mode.name().toLowerCase(Locale.ROOT))
                .put("lease_ms", LEASE_MS)
                .put("max_unacked", MOST_UNACKED);
        if (standby) {
            subscribe.put("standby", true);
        }
        consumer.client.ask(subscribe);
        start(name, consumer::consume);
        return consumer;
    }

    private void start(String name, Runnable work) {
        Thread thread = new Thread(work, "sick-" + name);
        thread.setDaemon(true);
        threads.add(thread);
        thread.start();
    }

    private static void pause(long ms) {
        try {
            Thread.sleep(ms);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /** Publishes so many records a second, until the end. */
    void publish(int perSecond) {
        Producer producer = client.producer(TOPIC).open();
        start("publisher", () -> {
            long beganMs = nowMs();
            while (!ended) {
                long due = (nowMs() - beganMs) * perSecond / 1_000;
                for (; published < due; published++) {
                    String key = "k" + published % KEYS;
                    producer.publish(OutgoingRecord.of(bytes(key), bytes(Long.toString(published))));
                }
                pause(20);
            }
        });
    }

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    long nowMs() {
        return System.nanoTime() / 1_000_000;
    }

    GroupDescription.Member member(Consumer consumer) {
        return client.admin().describeGroup(TOPIC, GROUP).memberList().stream()
                .filter(member -> member.name().equals(consumer.name))
                .findFirst()
                .orElseThrow();
    }

    long received(Consumer consumer) {
        return got.stream().filter(record -> record.who == consumer).count();
    }

    /** Which share of the records of the last ms it got, in percent. */
    int share(Consumer consumer, long ms) {
        long fromMs = nowMs() - ms;
        List<Got> late = got.stream().filter(record -> record.atMs >= fromMs).toList();
        assertThat(late).as("records within %d ms", ms).hasSizeGreaterThan(50);
        return (int) (late.stream().filter(record -> record.who == consumer).count() * 100 / late.size());
    }

    void until(long withinMs, BooleanSupplier condition) {
        long untilMs = nowMs() + withinMs;
        while (!condition.getAsBoolean()) {
            assertThat(nowMs()).as("ms; it takes too long: %s", this).isLessThan(untilMs);
            pause(50);
        }
    }

    /** Nothing was lost, and in a group with an order each key's records came first in their order. */
    void check() {
        long backlog = client.admin().describeGroup(TOPIC, GROUP).backlog();
        assertThat(backlog).as("records that nobody has handled").isLessThan(1_000);
        if (mode == GroupMode.SHARED) {
            return;
        }
        Map<String, Long> last = new HashMap<>();
        Map<String, Long> first = new HashMap<>();
        for (Got record : got) {
            String place = record.partition + "/" + record.offset;
            if (first.putIfAbsent(place, record.atMs) == null) {
                Long before = last.put(record.partition + " " + record.key, record.offset);
                assertThat(before == null || before < record.offset)
                        .as("%s of key %s came after %s", place, record.key, before)
                        .isTrue();
            }
        }
    }

    @Override
    public String toString() {
        Map<String, Long> counts = new HashMap<>();
        got.forEach(record -> counts.merge(record.who.name, 1L, Long::sum));
        return published + " published, received " + counts;
    }

    @Override
    public void close() throws InterruptedException {
        ended = true;
        for (Thread thread : threads) {
            thread.join(10_000);
        }
        consumers.forEach(Consumer::close);
        client.close();
    }
}
