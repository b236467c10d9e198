package io.spillway.broker.subscription;

import org.jspecify.annotations.Nullable;

/**
 * A range of records one member holds until a deadline. Its fence names it: whoever settles has to know it. Settled in
 * ascending order it needs no memory beyond itself; out of order it keeps a bit for each record.
 *
 * <p>Confined to the shard thread.
 */
public final class Lease {
    private final long fence;
    private final long from;
    private final long to;
    private final long memberId;
    private final int attempt;
    private final int failures;

    long deadlineMs;
    /** Index in the {@link LeaseHeap}. */
    int heapIndex;

    /** Everything below has left the lease; while {@code open} is null everything from here on is in it. */
    private long head;

    private int unsettled;
    private @Nullable OffsetBits open;

    Lease(long fence, Pick range, long memberId, long deadlineMs) {
        this.fence = fence;
        this.from = range.from;
        this.to = range.to;
        this.attempt = range.attempt;
        this.failures = range.failures;
        this.memberId = memberId;
        this.deadlineMs = deadlineMs;
        this.head = from;
        this.unsettled = Math.toIntExact(to - from);
    }

    public long fence() {
        return fence;
    }

    public long from() {
        return from;
    }

    public long to() {
        return to;
    }

    public long memberId() {
        return memberId;
    }

    /** Number of this delivery of its records, 1 for the first. */
    public int attempt() {
        return attempt;
    }

    /** How often its records had failed before this delivery. */
    public int failures() {
        return failures;
    }

    public long deadlineMs() {
        return deadlineMs;
    }

    /** Records still in the lease. */
    public int unsettled() {
        return unsettled;
    }

    /** Takes [first, end) out of the lease; false, and nothing happens, unless all of it is still in. */
    boolean take(long first, long end) {
        if (first < head || end > to || first >= end) {
            return false;
        }
        if (open == null) {
            if (first == head) {
                head = end;
                unsettled -= (int) (end - first);
                return true;
            }
            open = new OffsetBits(from);
            open.set(head, to);
        }
        if (open.nextClear(first, end) != end) {
            return false;
        }
        open.clear(first, end);
        unsettled -= (int) (end - first);
        if (first == head) {
            head = open.nextSet(end, to);
        }
        return true;
    }

    /** Visits what is still in the lease. */
    void forEachUnsettled(SubscriptionState.RangeVisitor visitor) {
        if (open == null) {
            if (head < to) {
                visitor.onRange(head, to);
            }
            return;
        }
        for (long at = open.nextSet(head, to); at < to; ) {
            long end = open.nextClear(at, to);
            visitor.onRange(at, end);
            at = open.nextSet(end, to);
        }
    }
}
