package io.spillway.broker.subscription;

/**
 * Records that are held back until a time of their own: a bit each, and an entry of a heap for each range with the same
 * time. Volatile: after a restart they are found again when the group comes past them.
 *
 * <p>Confined to the shard thread.
 */
final class Scheduled {
    /** Below this a heap with stale entries is not worth rebuilding. */
    private static final int REBUILD_FROM = 64;

    private final OffsetSet held;
    private final DueHeap due = new DueHeap();
    /** Nothing below is held. */
    private long start;

    Scheduled(long start) {
        this.start = start;
        held = new OffsetSet(start);
    }

    long count() {
        return held.count();
    }

    boolean holds(long at) {
        return held.get(at);
    }

    void add(long from, long to, long dueMs) {
        held.set(from, to);
        due.add(dueMs, from, to);
        if (due.size() > 2 * held.count() + REBUILD_FROM) {
            due.retain(this::isLive);
        }
    }

    void settled(long from, long to) {
        held.clear(from, to);
    }

    /** Everything below is settled. */
    void passed(long cursor) {
        held.advance(cursor);
        start = cursor;
    }

    void clear(long cursor) {
        held.reset(cursor);
        due.clear();
        start = cursor;
    }

    /** Lets go what is due. */
    void promote(long nowMs, SubscriptionState.RangeVisitor visitor) {
        while (due.size() > 0 && due.dueMs() <= nowMs) {
            long from = Math.max(due.from(), start);
            long to = due.to();
            due.pop();
            held.forEach(from, to, (first, end) -> {
                held.clear(first, end);
                visitor.onRange(first, end);
            });
        }
    }

    /** When the next record is due; Long.MAX_VALUE when none is held. */
    long nextDueMs() {
        while (due.size() > 0) {
            if (isLive(due.from(), due.to())) {
                return due.dueMs();
            }
            due.pop();
        }
        return Long.MAX_VALUE;
    }

    private boolean isLive(long from, long to) {
        return held.nextSet(Math.max(from, start), to) < to;
    }

    long memoryBytes() {
        return held.memoryBytes() + due.memoryBytes();
    }
}
