package io.spillway.broker.subscription;

import java.util.BitSet;
import org.jspecify.annotations.Nullable;

/**
 * A range of records that one member holds until a deadline. Records are mostly settled from the front, which costs a
 * pointer; the first one out of order costs a bitmap. Confined to the shard thread.
 */
public final class Lease {
    private final long fence;
    private final long from;
    private final long to;
    private final int attempt;
    private final int failures;
    private final long memberId;
    private long deadlineMs;
    private long doneTo;
    private int unsettled;
    private @Nullable BitSet done;

    Lease(long fence, long from, long to, int attempt, int failures, long memberId, long deadlineMs) {
        this.fence = fence;
        this.from = from;
        this.to = to;
        this.attempt = attempt;
        this.failures = failures;
        this.memberId = memberId;
        this.deadlineMs = deadlineMs;
        doneTo = from;
        unsettled = (int) (to - from);
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

    /** Number of this delivery, 1 = the first. */
    public int attempt() {
        return attempt;
    }

    /** Deliveries before this one that failed. */
    public int failures() {
        return failures;
    }

    public long memberId() {
        return memberId;
    }

    public long deadlineMs() {
        return deadlineMs;
    }

    /** Records not settled yet. */
    public int unsettled() {
        return unsettled;
    }

    void extend(long newDeadlineMs) {
        deadlineMs = newDeadlineMs;
    }

    /** Marks [a, b) as settled; false, and nothing changes, when it is not all open. */
    boolean settle(long a, long b) {
        if (a < doneTo || b > to || a >= b || isAnyDone(a, b)) {
            return false;
        }
        unsettled -= (int) (b - a);
        if (a == doneTo) {
            doneTo = b;
            if (done != null) {
                doneTo = from + done.nextClearBit((int) (doneTo - from));
            }
        } else {
            if (done == null) {
                done = new BitSet((int) (to - from));
            }
            done.set((int) (a - from), (int) (b - from));
        }
        return true;
    }

    private boolean isAnyDone(long a, long b) {
        if (done == null) {
            return false;
        }
        int next = done.nextSetBit((int) (a - from));
        return next >= 0 && next < b - from;
    }

    void forEachUnsettled(SubscriptionState.RangeVisitor visitor) {
        long at = doneTo;
        while (at < to) {
            int nextDone = done == null ? -1 : done.nextSetBit((int) (at - from));
            long end = nextDone < 0 ? to : from + nextDone;
            if (end > at) {
                visitor.onRange(at, end);
            }
            at = nextDone < 0 || done == null ? to : from + done.nextClearBit(nextDone);
        }
    }
}
