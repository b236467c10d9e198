package io.spillway.chaos.clients;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.spillway.chaos.history.Event;
import io.spillway.chaos.history.Failure;
import io.spillway.chaos.history.History;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.locks.LockSupport;
import java.util.random.RandomGenerator;

/**
 * A member of a group: takes messages, acks them, now and then fails one, and waits until the broker has the acks. What ended
 * its subscription is told, and it subscribes again. Confined to its thread, but for {@link #stop}.
 */
public final class Reader implements Runnable {
    private static final int AT_ONCE = 64;
    private static final int POLL_MS = 500;
    private static final int FLUSH_MS = 5_000;
    private static final int NACK_DELAY_MS = 50;
    private static final long PAUSE_NS = 200_000_000;

    /**
     * How one reads.
     *
     * @param leaseMs of its messages
     * @param workMs for what it does with the messages of a call, at least
     * @param failing of these records, given by their name and attempt, its handler fails
     */
    public record Habits(int leaseMs, long workMs, Failing failing) {
        /** Fails two of a hundred when they come for the first time. */
        static Habits byChance(RandomGenerator random) {
            return new Habits(5_000, 0, (id, attempt) -> attempt == 1 && random.nextInt(100) < 2);
        }

        /** Fails nothing. */
        public static Habits good() {
            return new Habits(5_000, 0, (id, attempt) -> false);
        }
    }

    /** What it is in its group. */
    public enum Role {
        MEMBER,
        /** It takes over from one that is not well. */
        STANDBY
    }

    /** Which messages a handler fails. */
    @FunctionalInterface
    public interface Failing {
        boolean fails(String id, int attempt);
    }

    /** Of which group, as what. */
    record Membership(Groups.Group group, Role role) {}

    private final Client client;
    private final Habits habits;
    private final String topic;
    private final Groups.Group group;
    private final Role role;
    private final History history;
    private final Progress progress;
    private volatile boolean isStopping;
    private volatile long lost;

    Reader(Client client, Habits habits, String topic, Membership membership, History history, Progress progress) {
        this.client = client;
        this.habits = habits;
        this.topic = topic;
        group = membership.group;
        role = membership.role;
        this.history = history;
        this.progress = progress;
    }

    void stop() {
        isStopping = true;
    }

    /** Leases that its subscription has lost, as its client says. */
    public long lost() {
        return lost;
    }

    @Override
    public void run() {
        boolean isOpen = false;
        while (!isStopping && !Thread.currentThread().isInterrupted()) {
            if (!isOpen) {
                isOpen = client.succeeds(open(), history);
                lost = 0;
            }
            if (isOpen) {
                isOpen = turn();
            }
            if (!isOpen) {
                LockSupport.parkNanos(PAUSE_NS);
            }
        }
        if (isOpen) {
            client.succeeds(request("subscription.close").put("timeout_ms", 5_000), history);
        }
    }

    private ObjectNode request(String operation) {
        return Client.request(operation).put("subscription", group.name());
    }

    private ObjectNode open() {
        ObjectNode open = request("subscription.open");
        if (role == Role.STANDBY) {
            open.put("standby", true);
        }
        return open.put("client", Client.NAME)
                .put("name", client.name())
                .put("topic", topic)
                .put("group", group.name())
                .put("mode", group.mode())
                .put("start", "earliest")
                .put("lease_ms", habits.leaseMs);
    }

    /** Whether the subscription can still be used. */
    private boolean turn() {
        long begunNs = history.nowNs();
        JsonNode answer =
                client.call(request("subscription.poll").put("max", AT_ONCE).put("timeout_ms", POLL_MS));
        if (answer.has("error")) {
            Failure failure = Failure.of(answer.path("error"));
            history.add(at -> new Event.Trouble(at, client.name(), "subscription.poll", failure));
            client.call(request("subscription.close").put("timeout_ms", 500));
            return false;
        }
        List<JsonNode> messages = new ArrayList<>();
        answer.path("ok").path("messages").forEach(messages::add);
        if (messages.isEmpty()) {
            return true;
        }
        messages.forEach(this::delivered);
        progress.succeeded("group " + group.name(), begunNs);
        LockSupport.parkNanos(habits.workMs * 1_000_000);
        settle(messages);
        return true;
    }

    private void delivered(JsonNode message) {
        String id = idOf(message);
        history.add(at -> new Event.Delivered(
                at,
                client.name(),
                group.name(),
                message.path("partition").asInt(),
                message.path("offset").asLong(),
                message.path("key").asText(""),
                id,
                message.path("attempt").asInt()));
    }

    static String idOf(JsonNode message) {
        String value = message.path("value").asText();
        return value.indexOf(':') < 0 ? value : value.substring(0, value.indexOf(':'));
    }

    private void settle(List<JsonNode> messages) {
        List<JsonNode> good = new ArrayList<>();
        ObjectNode ack = request("message.ack");
        ObjectNode nack = request("message.nack").put("delay_ms", NACK_DELAY_MS).put("reason", "by chance");
        ArrayNode acks = ack.putArray("messages");
        ArrayNode nacks = nack.putArray("messages");
        for (JsonNode message : messages) {
            boolean fails =
                    habits.failing.fails(idOf(message), message.path("attempt").asInt());
            (fails ? nacks : acks).add(message.path("message").asLong());
            if (!fails) {
                good.add(message);
            }
        }
        boolean isSettled = acks.isEmpty() || client.succeeds(ack, history);
        isSettled &= nacks.isEmpty() || client.succeeds(nack, history);
        if (isSettled && client.succeeds(request("subscription.flush_acks").put("timeout_ms", FLUSH_MS), history)) {
            confirm(good);
        }
    }

    /** What was acked has reached the broker unless leases were lost; whose they were is not told, so none counts then. */
    private void confirm(List<JsonNode> messages) {
        JsonNode answer =
                client.call(request("subscription.lost_leases").put("count", 0).put("timeout_ms", 0));
        long now = answer.path("ok").path("lost").asLong(Long.MAX_VALUE);
        boolean isConfirmed = now == lost;
        lost = now;
        if (isConfirmed) {
            for (JsonNode message : messages) {
                history.add(at -> new Event.Confirmed(
                        at,
                        client.name(),
                        group.name(),
                        message.path("partition").asInt(),
                        message.path("offset").asLong()));
            }
        }
    }
}
