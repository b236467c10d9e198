package io.spillway.chaos.clients;

import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/** How far writers and readers are, to see whether they go on. Thread-safe. */
public final class Progress {
    /** Who to when the newest call of its that came to something was begun. */
    private final Map<String, Long> newestNs = new ConcurrentHashMap<>();

    void expect(String who) {
        newestNs.put(who, Long.MIN_VALUE);
    }

    void succeeded(String who, long begunNs) {
        newestNs.put(who, begunNs);
    }

    /** Whether each has done something that it began after this time. */
    public boolean isAllAfter(long ns) {
        return newestNs.values().stream().allMatch(newest -> newest > ns);
    }

    /** Whether this one has. */
    public boolean isAfter(String who, long ns) {
        return newestNs.getOrDefault(who, Long.MIN_VALUE) > ns;
    }

    /** Who has not. */
    public String missing(long ns) {
        return String.join(
                ", ",
                newestNs.entrySet().stream()
                        .filter(entry -> entry.getValue() <= ns)
                        .map(Map.Entry::getKey)
                        .sorted()
                        .toList());
    }
}
