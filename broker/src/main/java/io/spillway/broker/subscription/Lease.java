package io.spillway.broker.subscription;

import org.jspecify.annotations.Nullable;

/**
 * Records of one batch that one member holds until a deadline, all with the same history: a range, or some of a range.
 * Its fence names it: whoever settles has to know it. A whole range settled in ascending order needs no memory beyond
 * itself; otherwise it keeps a bit for each record.
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
    /** The records meant; null when that is the whole range. */
    private final @Nullable OffsetBits selected;

    long deadlineMs;
    /** Before it was extended. */
    private final long firstDeadlineMs;
    /** Index in the {@link LeaseHeap}. */
    int heapIndex;

    /** Everything below has left the lease; while {@code open} is null everything from here on is in it. */
    private long head;

    private int unsettled;
    private @Nullable OffsetBits open;

    /** A lease of a whole range. */
    Lease(long fence, Pick range, long memberId, long deadlineMs) {
        this(fence, range, null, Math.toIntExact(range.to - range.from), memberId, deadlineMs);
    }

    private Lease(long fence, Pick range, @Nullable OffsetBits selected, int records, long memberId, long deadlineMs) {
        this.fence = fence;
        this.from = range.from;
        this.to = range.to;
        this.attempt = range.attempt;
        this.failures = range.failures;
        this.selected = selected;
        this.memberId = memberId;
        this.deadlineMs = deadlineMs;
        firstDeadlineMs = deadlineMs;
        this.head = from;
        this.unsettled = records;
    }

    /** A lease of what is selected, at least one record. */
    static Lease of(long fence, Selection selection, Pick history, long memberId, long deadlineMs) {
        history.set(selection.from(), selection.to(), history.attempt, history.failures);
        if (selection.count() == history.to - history.from) {
            return new Lease(fence, history, memberId, deadlineMs);
        }
        var selected = new OffsetBits(history.from);
        selection.forEach(selected::set);
        var lease = new Lease(fence, history, selected, selection.count(), memberId, deadlineMs);
        lease.open = new OffsetBits(history.from);
        selection.forEach(lease.open::set);
        return lease;
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

    /** When it would have ended if nobody had extended it. */
    public long firstDeadlineMs() {
        return firstDeadlineMs;
    }

    /** Records still in the lease. */
    public int unsettled() {
        return unsettled;
    }

    /** How many of [first, end) were leased, settled since or not. The range must lie within the lease. */
    public int count(long first, long end) {
        return selected == null ? (int) (end - first) : selected.count(first, end);
    }

    /** Visits what was leased of [first, end), settled since or not. The range must lie within the lease. */
    public void forEach(long first, long end, SubscriptionState.RangeVisitor visitor) {
        if (selected == null) {
            visitor.onRange(first, end);
        } else {
            selected.forEach(first, end, visitor);
        }
    }

    /**
     * Takes what was leased of [first, end) out of the lease; false, and nothing happens, unless that is at least one
     * record, all of them are still in, and the range reaches nowhere beyond the lease.
     */
    boolean take(long first, long end) {
        if (first < from || end > to || first >= end) {
            return false;
        }
        int records = count(first, end);
        if (open == null) {
            if (first < head) {
                return false;
            }
            if (first == head) {
                head = end;
                unsettled -= records;
                return true;
            }
            open = new OffsetBits(from);
            open.set(head, to);
        }
        if (records == 0 || open.count(first, end) != records) {
            return false;
        }
        open.clear(first, end);
        unsettled -= records;
        return true;
    }

    /** Visits what is still in the lease. */
    void forEachUnsettled(SubscriptionState.RangeVisitor visitor) {
        if (open == null) {
            if (head < to) {
                visitor.onRange(head, to);
            }
        } else {
            open.forEach(head, to, visitor);
        }
    }
}
