package io.spillway.chaos.check;

import io.spillway.chaos.history.Event;
import io.spillway.chaos.history.Failure;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** A made-up round, good unless it is told otherwise: each step is 1 ms after the one before. */
final class Story {
    static final Failure UNKNOWN = new Failure(907, "OUTCOME_UNKNOWN", "NEVER", 0, "what", "why", "next");
    static final Failure REFUSED = new Failure(402, "READ_ONLY", "NEVER", 0, "what", "why", "next");

    private final List<Event> events = new ArrayList<>();
    private final Map<String, List<StoredRecord>> records = new LinkedHashMap<>();
    private final Map<String, List<StoredDeadLetter>> deadLetters = new LinkedHashMap<>();
    private final Map<String, String> digests = new LinkedHashMap<>();
    private long nowNs;

    Story() {
        for (String node : List.of("n1", "n2", "n3")) {
            records.put(node, new ArrayList<>());
            deadLetters.put(node, new ArrayList<>());
            digests.put(node, "as all");
        }
    }

    private long tick() {
        return nowNs += 1_000_000;
    }

    Story wait(int seconds) {
        nowNs += seconds * 1_000_000_000L;
        return this;
    }

    Story invoke(long call, String id, String key) {
        events.add(new Event.Invoked(tick(), "go", call, id, key, true, false));
        return this;
    }

    Story invokeAltered(long call, String id, String key) {
        events.add(new Event.Invoked(tick(), "go", call, id, key, true, true));
        return this;
    }

    Story ack(long call, String id, long offset) {
        return ack(call, id, offset, "quorum");
    }

    Story ack(long call, String id, long offset, String durability) {
        events.add(new Event.Acked(tick(), "go", call, id, 0, offset, durability, false, false));
        return this;
    }

    Story fail(long call, String id, Failure failure) {
        events.add(new Event.Failed(tick(), "go", call, id, failure));
        return this;
    }

    Story deliver(String group, String id, String key, long offset) {
        events.add(new Event.Delivered(tick(), "rust", group, 0, offset, key, id, 1));
        return this;
    }

    /** The record of {@code good} at offset 10, to its group that shares. */
    Story deliverFirst(String who, int attempt) {
        events.add(new Event.Delivered(tick(), who, "shared", 0, 10, "a", "a-0", attempt));
        return this;
    }

    Story stop(String who) {
        events.add(new Event.Stopped(tick(), who));
        return this;
    }

    Story confirm(String group, long offset) {
        events.add(new Event.Confirmed(tick(), "rust", group, 0, offset));
        return this;
    }

    Story trouble(Failure failure) {
        events.add(new Event.Trouble(tick(), "go", "subscription.poll", failure));
        return this;
    }

    /** What n1 says of itself. */
    Story health(boolean ready, boolean leads, boolean quorate) {
        events.add(new Event.Health(tick(), "n1", ready, leads, 1, quorate, true));
        return this;
    }

    Story store(String id, String key, long offset) {
        records.keySet().forEach(node -> store(node, id, key, offset, true));
        return this;
    }

    Story store(String node, String id, String key, long offset, boolean whole) {
        of(node).add(new StoredRecord(1, offset, id, key, whole));
        return this;
    }

    /** A copy of what is said to be at that offset, in the dead-letter topic of the group that shares. */
    Story bury(String id, String key, long offset) {
        deadLetters
                .values()
                .forEach(dead -> dead.add(new StoredDeadLetter(
                        new StoredRecord(2, dead.size(), id, key, true), "shared", 0, offset, "MEMBERS_FAILED")));
        return this;
    }

    private List<StoredRecord> of(String node) {
        @Nullable List<StoredRecord> found = records.get(node);
        if (found == null) {
            throw new IllegalArgumentException(node);
        }
        return found;
    }

    Story lose(String node, String id) {
        of(node).removeIf(record -> record.id().equals(id));
        return this;
    }

    Story digest(String node, String digest) {
        digests.put(node, digest);
        return this;
    }

    /** A record that is written, acked, stored, and delivered to both groups. */
    Story lived(long call, String id, String key, long offset) {
        return invoke(call, id, key)
                .ack(call, id, offset)
                .store(id, key, offset)
                .delivered(id, key, offset);
    }

    Story delivered(String id, String key, long offset) {
        return deliver("ordered", id, key, offset).deliver("shared", id, key, offset);
    }

    /** The rules that it breaks. */
    List<String> broken() {
        Map<String, StoredLog> replicas = new LinkedHashMap<>();
        records.forEach((node, stored) -> replicas.put(
                node,
                new StoredLog(
                        stored,
                        deadLetters.getOrDefault(node, List.of()),
                        new TreeMap<>(Map.of(1, digests.getOrDefault(node, ""))))));
        return new Checker("ordered", List.of("ordered", "shared"))
                .check(new Evidence(events, replicas)).stream()
                        .map(Violation::rule)
                        .distinct()
                        .toList();
    }
}
