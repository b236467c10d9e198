package io.spillway.chaos.clients;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.spillway.chaos.history.Event;
import io.spillway.chaos.history.Failure;
import io.spillway.chaos.history.History;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.locks.LockSupport;
import java.util.random.RandomGenerator;

/**
 * Publishes at QUORUM through one client, one call after the other. Each call has records with an idempotency key, numbered
 * by their key, which are repeated until they are acked; records without, which are given to the client once; and sometimes
 * a record again that was acked long ago, or another payload under its key. Confined to its thread, but for {@link #stop}.
 */
public final class Writer implements Runnable {
    private static final int REMEMBERED = 500;
    private static final int AGAIN_PERCENT = 15;
    private static final int ALTERED_PERCENT = 5;
    private static final long PAUSE_NS = 100_000_000;
    private static final long MIN_PAUSE_NS = 1_000_000;

    /**
     * How much one writes.
     *
     * @param keys different ones
     * @param burst records of a key in a call, at most
     * @param plain records in a call without an idempotency key
     * @param everyMs from the beginning of a call to that of the next one, at least
     * @param deliveryTimeoutMs after which the client gives up a record
     */
    public record Pace(int keys, int burst, int plain, int everyMs, int deliveryTimeoutMs) {
        /** About 80 records a second, given up early, so that there are all kinds of outcomes. */
        static final Pace CALM = new Pace(4, 2, 2, 100, 6_000);
    }

    private record Outgoing(String id, String key, boolean keyed, boolean altered) {
        String value() {
            return id + (altered ? ":another payload" : ":" + "x".repeat(100));
        }
    }

    private final Client client;
    private final Pace pace;
    private final String topic;
    private final History history;
    private final Progress progress;
    private final RandomGenerator random;
    private final Map<String, Deque<Outgoing>> pending = new LinkedHashMap<>();
    private final Map<String, Integer> next = new LinkedHashMap<>();
    private final List<Outgoing> acked = new ArrayList<>();
    private volatile boolean isStopping;
    private long calls;
    private long plain;

    Writer(Client client, Pace pace, String topic, History history, Progress progress, RandomGenerator random) {
        this.client = client;
        this.pace = pace;
        this.topic = topic;
        this.history = history;
        this.progress = progress;
        this.random = random;
        progress.expect(name());
        for (int i = 0; i < pace.keys; i++) {
            String key = client.name() + "-k" + i;
            pending.put(key, new ArrayDeque<>());
            next.put(key, 0);
        }
    }

    private String name() {
        return client.name() + " writer";
    }

    /** No new records; it ends when those that it has are acked. */
    void stop() {
        isStopping = true;
    }

    @Override
    public void run() {
        while (!client.succeeds(open(), history)) {
            pause(PAUSE_NS);
        }
        while (!isStopping || hasPending()) {
            long begunNs = System.nanoTime();
            publish(compose());
            pause(pace.everyMs * 1_000_000L - (System.nanoTime() - begunNs));
            if (Thread.currentThread().isInterrupted()) {
                return;
            }
        }
    }

    private static void pause(long ns) {
        LockSupport.parkNanos(Math.max(ns, MIN_PAUSE_NS));
    }

    private boolean hasPending() {
        return pending.values().stream().anyMatch(queue -> !queue.isEmpty());
    }

    private ObjectNode open() {
        return Client.request("producer.open")
                .put("client", Client.NAME)
                .put("producer", "p")
                .put("topic", topic)
                .put("durability", "quorum")
                .put("delivery_timeout_ms", pace.deliveryTimeoutMs);
    }

    private List<Outgoing> compose() {
        List<Outgoing> records = new ArrayList<>();
        pending.forEach((key, queue) -> {
            if (queue.isEmpty() && !isStopping) {
                int count = 1 + random.nextInt(pace.burst);
                for (int i = 0; i < count; i++) {
                    int number = next.merge(key, 1, Integer::sum) - 1;
                    queue.add(new Outgoing(key + "-" + number, key, true, false));
                }
            }
            records.addAll(queue);
        });
        if (!isStopping) {
            String key = client.name() + "-plain";
            for (int i = 0; i < pace.plain; i++) {
                records.add(new Outgoing(key + "-" + plain++, key, false, false));
            }
            if (!acked.isEmpty()) {
                addKnown(records);
            }
        }
        return records;
    }

    private void addKnown(List<Outgoing> records) {
        int dice = random.nextInt(100);
        Outgoing known = acked.get(random.nextInt(acked.size()));
        if (dice < ALTERED_PERCENT) {
            records.add(new Outgoing(known.id(), known.key(), true, true));
        } else if (dice < ALTERED_PERCENT + AGAIN_PERCENT) {
            records.add(known);
        }
    }

    private void publish(List<Outgoing> records) {
        long call = ++calls;
        ObjectNode request = Client.request("producer.publish").put("producer", "p");
        ArrayNode list = request.putArray("records");
        long begunNs = history.nowNs();
        for (Outgoing record : records) {
            ObjectNode node = list.addObject().put("value", record.value()).put("key", record.key());
            if (record.keyed()) {
                node.put("idempotency_key", record.id());
            }
            history.add(at -> new Event.Invoked(
                    at, client.name(), call, record.id(), record.key(), record.keyed(), record.altered()));
        }
        JsonNode answer = client.call(request);
        boolean isAcked = false;
        for (int i = 0; i < records.size(); i++) {
            isAcked |= completed(call, records.get(i), outcome(answer, i));
        }
        if (isAcked) {
            progress.succeeded(name(), begunNs);
        }
    }

    private static JsonNode outcome(JsonNode answer, int record) {
        return answer.has("error") ? answer : answer.path("ok").path("acks").path(record);
    }

    private boolean completed(long call, Outgoing record, JsonNode outcome) {
        if (outcome.has("error") || !outcome.has("offset")) {
            Failure failure = Failure.of(outcome.path("error"));
            history.add(at -> new Event.Failed(at, client.name(), call, record.id(), failure));
            return false;
        }
        history.add(at -> new Event.Acked(
                at,
                client.name(),
                call,
                record.id(),
                outcome.path("partition").asInt(),
                outcome.path("offset").asLong(),
                outcome.path("durability").asText(),
                outcome.path("duplicate").asBoolean(),
                outcome.path("degraded").asBoolean()));
        if (record.keyed() && !record.altered() && pending(record).remove(record)) {
            if (acked.size() < REMEMBERED) {
                acked.add(record);
            } else {
                acked.set(random.nextInt(REMEMBERED), record);
            }
        }
        return true;
    }

    private Deque<Outgoing> pending(Outgoing record) {
        return pending.getOrDefault(record.key(), new ArrayDeque<>());
    }
}
