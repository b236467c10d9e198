package io.spillway.chaos.scenario;

import io.spillway.chaos.history.Event;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Collectors;

/** What became of the records that one client wrote, by the history. Records that must be refused are left out. */
final class Outcomes {
    private final Map<String, Long> givenNs = new HashMap<>();
    private final Map<String, Long> tookNs = new HashMap<>();
    private final Map<String, Integer> failures = new TreeMap<>();
    private long duplicates;
    private long unknown;

    /**
     * @param who the client
     * @param fromNs records given before this time are left out
     * @param toNs records given from this time on are left out
     */
    Outcomes(List<Event> events, String who, long fromNs, long toNs) {
        Set<String> altered = new HashSet<>();
        for (Event event : events) {
            if (!event.who().equals(who)) {
                continue;
            }
            if (event instanceof Event.Invoked invoked) {
                if (invoked.altered()) {
                    altered.add(invoked.call() + " " + invoked.id());
                } else {
                    givenNs.putIfAbsent(invoked.id(), invoked.atNs());
                }
            } else if (event instanceof Event.Acked acked) {
                acked(acked);
            } else if (event instanceof Event.Failed failed && !altered.contains(failed.call() + " " + failed.id())) {
                failures.merge(failed.failure().reason(), 1, Integer::sum);
                unknown += failed.failure().isUnknown() ? 1 : 0;
            }
        }
        tookNs.keySet().removeIf(id -> {
            long at = givenNs.getOrDefault(id, Long.MIN_VALUE);
            return at < fromNs || at >= toNs;
        });
    }

    private void acked(Event.Acked acked) {
        long begunNs = givenNs.getOrDefault(acked.id(), acked.atNs());
        boolean isFirst = tookNs.putIfAbsent(acked.id(), acked.atNs() - begunNs) == null;
        duplicates += isFirst && acked.duplicate() ? 1 : 0;
    }

    /** Records that were acked. */
    int acked() {
        return tookNs.size();
    }

    /** Records of which the first ack said that they were stored before. */
    long duplicates() {
        return duplicates;
    }

    long unknown() {
        return unknown;
    }

    long failed() {
        return failures.values().stream().mapToInt(Integer::intValue).sum();
    }

    /** Reason to number. */
    Map<String, Integer> failures() {
        return failures;
    }

    /** The latency that so many of a thousand records do not exceed, in ms. */
    double latencyMs(int permille) {
        List<Long> sorted = tookNs.values().stream().sorted().collect(Collectors.toList());
        if (sorted.isEmpty()) {
            return Double.NaN;
        }
        return sorted.get(Math.min(sorted.size() - 1, sorted.size() * permille / 1_000)) / 1e6;
    }

    double maxMs() {
        return latencyMs(1_000);
    }

    @Override
    public String toString() {
        return String.format(
                Locale.ROOT,
                "%,d acked, %d of them DUPLICATE, failed %s",
                acked(),
                duplicates,
                failures.isEmpty() ? "0" : failures.toString());
    }
}
