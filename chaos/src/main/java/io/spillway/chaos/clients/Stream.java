package io.spillway.chaos.clients;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.spillway.chaos.history.Event;
import io.spillway.chaos.history.Failure;
import io.spillway.chaos.history.History;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;

/** Reads all there is without a group, at the node that is nearest to its client. Confined to its thread, but for what it tells. */
public final class Stream implements Runnable {
    private static final int AT_ONCE = 256;
    private static final int POLL_MS = 500;
    private static final long PAUSE_NS = 200_000_000;

    private final Client client;
    private final String name;
    private final String topic;
    private final History history;
    private final AtomicLong read = new AtomicLong();
    private volatile boolean isStopping;

    /** @param name what the history calls it in place of a group */
    Stream(Client client, String name, String topic, History history) {
        this.client = client;
        this.name = name;
        this.topic = topic;
        this.history = history;
    }

    String name() {
        return name;
    }

    /** Records it has read. */
    public long read() {
        return read.get();
    }

    void stop() {
        isStopping = true;
    }

    @Override
    public void run() {
        ObjectNode open = Client.request("subscription.open")
                .put("client", Client.NAME)
                .put("subscription", name)
                .put("topic", topic)
                .put("start", "earliest")
                .put("read_from", "nearest");
        while (!client.succeeds(open, history)) {
            LockSupport.parkNanos(PAUSE_NS);
        }
        while (!isStopping && !Thread.currentThread().isInterrupted()) {
            JsonNode answer = client.call(Client.request("subscription.poll")
                    .put("subscription", name)
                    .put("max", AT_ONCE)
                    .put("timeout_ms", POLL_MS));
            if (answer.has("error")) {
                Failure failure = Failure.of(answer.path("error"));
                history.add(at -> new Event.Trouble(at, client.name(), "subscription.poll", failure));
                return;
            }
            answer.path("ok").path("messages").forEach(this::delivered);
        }
    }

    private void delivered(JsonNode message) {
        history.add(at -> new Event.Delivered(
                at,
                client.name(),
                name,
                message.path("partition").asInt(),
                message.path("offset").asLong(),
                message.path("key").asText(""),
                Reader.idOf(message),
                message.path("attempt").asInt()));
        read.incrementAndGet();
    }
}
