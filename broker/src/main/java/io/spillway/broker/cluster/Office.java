package io.spillway.broker.cluster;

import io.spillway.broker.replication.ClusterStatus;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;

/**
 * Whether a node that leads should go on to lead: not with a full disk, and not for long while a voter of a zone that comes
 * before its own in {@code zone-order} is able to. Each reason must last, and none moves the leadership twice within a
 * minute, so that nodes that are all full, or disagree on the order, do not pass it round. Confined to the cluster's thread.
 */
final class Office {
    static final long FULL_MS = 2_000;
    static final long PREFERENCE_MS = 30_000;
    static final long PAUSE_MS = 60_000;

    private static final long NOT = Long.MIN_VALUE;

    /** Who should lead, and why. */
    record Successor(String id, String why) {}

    private final List<String> zoneOrder;
    private long fullSinceMs = NOT;
    private long behindSinceMs = NOT;
    private long movedMs = NOT;

    /** @param zoneOrder the zones that are to lead, the first one rather than the second; others come last */
    Office(List<String> zoneOrder) {
        this.zoneOrder = List.copyOf(zoneOrder);
    }

    /** Called every now and then, at monotonic times. */
    Optional<Successor> look(ClusterStatus status, boolean isWritable, long nowMs) {
        List<ClusterStatus.Node> able = status.isLeading()
                ? status.nodes().stream().filter(Succession::isAble).toList()
                : List.of();
        Optional<ClusterStatus.Node> best = able.stream().min(Comparator.comparingInt(this::rank));
        boolean isBehind = best.isPresent()
                && status.leader() != null
                && rank(best.get()) < rank(status.leader().zone());
        fullSinceMs = since(status.isLeading() && !isWritable, fullSinceMs, nowMs);
        behindSinceMs = since(isBehind, behindSinceMs, nowMs);
        if (best.isEmpty() || (movedMs != NOT && nowMs - movedMs < PAUSE_MS)) {
            return Optional.empty();
        }
        String why = lasts(fullSinceMs, FULL_MS, nowMs)
                ? "its disk is full"
                : lasts(behindSinceMs, PREFERENCE_MS, nowMs) && isWritable
                        ? "the zone " + best.get().peer().zone() + " comes first in zone-order"
                        : "";
        if (why.isEmpty()) {
            return Optional.empty();
        }
        movedMs = nowMs;
        return Optional.of(new Successor(best.get().peer().id(), why));
    }

    private int rank(ClusterStatus.Node node) {
        return rank(node.peer().zone());
    }

    private int rank(String zone) {
        int at = zoneOrder.indexOf(zone);
        return at < 0 ? zoneOrder.size() : at;
    }

    private static long since(boolean is, long sinceMs, long nowMs) {
        return !is ? NOT : sinceMs == NOT ? nowMs : sinceMs;
    }

    private static boolean lasts(long sinceMs, long forMs, long nowMs) {
        return sinceMs != NOT && nowMs - sinceMs >= forMs;
    }
}
