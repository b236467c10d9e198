package io.spillway.broker.shard;

import java.util.HashMap;
import java.util.Map;
import java.util.function.ObjLongConsumer;
import org.jspecify.annotations.Nullable;

/**
 * How long publishes of each failure domain wait before they are taken. A turn counts with the longest wait, an interval
 * with its best turn: so a burst that is gone within the interval is none, and a queue that stands is seen, though turns
 * in it are fair. Confined to the shard thread.
 */
final class Waits {
    private static final long NONE = -1;
    private static final int NS_PER_MS = 1_000_000;

    private static final class Domain {
        private long turnNs = NONE;
        private long bestNs = Long.MAX_VALUE;
        private long longestNs;
    }

    private final Map<String, Domain> domains = new HashMap<>();
    private String newestName = "";
    private @Nullable Domain newest;

    /** One that is taken in this turn. */
    void taken(String name, long waitedNs) {
        Domain domain = newest;
        if (domain == null || !name.equals(newestName)) {
            domain = domains.computeIfAbsent(name, unknown -> new Domain());
            newest = domain;
            newestName = name;
        }
        domain.turnNs = Math.max(domain.turnNs, waitedNs);
        domain.longestNs = Math.max(domain.longestNs, waitedNs);
    }

    /** The turn is over. */
    void endTurn() {
        for (Domain domain : domains.values()) {
            if (domain.turnNs != NONE) {
                domain.bestNs = Math.min(domain.bestNs, domain.turnNs);
                domain.turnNs = NONE;
            }
        }
    }

    /** How long what was taken had waited at most since this was last asked, of each domain, in ns. */
    void longest(ObjLongConsumer<String> sink) {
        domains.forEach((name, domain) -> {
            long longestNs = domain.longestNs;
            domain.longestNs = 0;
            sink.accept(name, longestNs);
        });
    }

    /** What is to be told of the interval, which ends; those without a publish are forgotten. */
    Map<String, Integer> endInterval() {
        if (domains.isEmpty()) {
            return Map.of();
        }
        Map<String, Integer> waitedMs = new HashMap<>();
        domains.forEach((name, domain) -> {
            if (domain.bestNs != Long.MAX_VALUE && domain.bestNs >= NS_PER_MS) {
                waitedMs.put(name, (int) Math.min(Integer.MAX_VALUE, domain.bestNs / NS_PER_MS));
            }
        });
        domains.values().removeIf(domain -> domain.bestNs == Long.MAX_VALUE);
        domains.values().forEach(domain -> domain.bestNs = Long.MAX_VALUE);
        newest = null;
        return Map.copyOf(waitedMs);
    }
}
