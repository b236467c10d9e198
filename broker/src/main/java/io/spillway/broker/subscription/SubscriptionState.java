package io.spillway.broker.subscription;

import java.util.ArrayList;
import java.util.function.LongSupplier;
import org.agrona.collections.Long2ObjectHashMap;
import org.jspecify.annotations.Nullable;

/**
 * One group on one partition. Durable is what {@code apply...} and {@link #skipTo} change: the cursor, the settled
 * ranges above it, and failures with the time of the next try; it is a fold of the log and the same after a restart.
 * Leases are volatile. All ranges are half open.
 *
 * <pre>
 *            cursor                              highest delivered          cursor + window limit
 *   settled    |  settled, leased, pending, in the pool  |   fresh, in the pool   |  not yet
 * </pre>
 *
 * Each record between the cursor and the highest delivered one has three bits: settled, taken (no longer fresh) and
 * leased. A record that is taken but neither settled, nor leased, nor in the pool for a further delivery is pending: its
 * outcome is decided and its durable record is on the way. Memory follows the distance between the cursor and the
 * highest delivered record, which the window limit bounds; records with a history (failed or given back) cost 16 bytes
 * more each.
 *
 * <p>At no time do two live leases hold one record, in whatever order records are applied.
 *
 * <p>Confined to the shard thread.
 */
public final class SubscriptionState {
    /**
     * What is settled or failed further above the cursor than this is ignored, which costs a redelivery. Only a record
     * that was decided before a seek far back, and logged after it, can be that far out; the window limit stays below.
     */
    public static final int MAX_SPAN = 1 << 26;

    /** Sees ranges of offsets, lowest first. */
    public interface RangeVisitor {
        void onRange(long from, long to);
    }

    /** Sees failed ranges, lowest first. */
    public interface FailedVisitor {
        void onFailed(long from, long to, int failures, long dueMs);
    }

    /** Sees what an expired lease had not settled. */
    public interface LeaseVisitor {
        void onExpired(long from, long to, Lease lease);
    }

    /** How a member settles records. */
    public enum Outcome {
        /** Done. */
        ACCEPT,
        /** Failed; it comes back later, and the failure counts. */
        NACK,
        /** Never to be delivered again: to the dead-letter topic. */
        TERM,
        /** Given back untouched: at once in the pool again, and no failure counts. */
        RELEASE
    }

    private final int windowLimit;
    private final LongSupplier fences;

    private long cursor;
    /** End of the highest range that has a bit. */
    private long high;
    /** No fresh record lies below. */
    private long freshFrom;

    private final OffsetBits settled;
    private final OffsetBits taken;
    private final OffsetBits leased;
    private long settledCount;
    private long takenCount;
    private final Retries retries;

    private final Long2ObjectHashMap<Lease> leases = new Long2ObjectHashMap<>();
    private final LeaseHeap deadlines = new LeaseHeap();
    private final Pick range = new Pick();

    /**
     * Everything below the cursor is settled, nothing above it.
     *
     * @param windowLimit most offsets between the cursor and the highest delivered record, 1..{@link #MAX_SPAN}
     * @param fences gives a new number for each lease, never one that was given before, also not by an earlier leader
     */
    public SubscriptionState(long cursor, int windowLimit, LongSupplier fences) {
        if (windowLimit < 1 || windowLimit > MAX_SPAN) {
            throw new IllegalArgumentException("window limit " + windowLimit + "; 1.." + MAX_SPAN);
        }
        this.windowLimit = windowLimit;
        this.cursor = cursor;
        this.high = cursor;
        this.freshFrom = cursor;
        this.fences = fences;
        this.settled = new OffsetBits(cursor, cursor + 1);
        this.taken = new OffsetBits(cursor, cursor + 1);
        this.leased = new OffsetBits(cursor, cursor + 1);
        this.retries = new Retries(cursor);
    }

    /** Records are settled for good. Applying it again changes nothing. */
    public void applySettled(long from, long to) {
        if (from <= cursor) {
            advance(to);
            return;
        }
        long end = Math.min(to, cursor + MAX_SPAN);
        if (from >= end) {
            return;
        }
        cover(end);
        settledCount += settled.set(from, end);
        takenCount += taken.set(from, end);
        retries.settled(from, end);
    }

    /**
     * Records failed for the n-th time and are due again at a time. What is settled stays settled. A record in a live
     * lease takes the history and stays in its lease.
     */
    public void applyFailed(long from, long to, int failures, long dueMs) {
        long end = Math.min(to, cursor + MAX_SPAN);
        long at = Math.max(from, cursor);
        if (at >= end) {
            return;
        }
        cover(end);
        for (at = settled.nextClear(at, end); at < end; at = settled.nextClear(at, end)) {
            long unsettledTo = settled.nextSet(at, end);
            retries.record(at, unsettledTo, failures, dueMs);
            for (at = leased.nextClear(at, unsettledTo); at < unsettledTo; at = leased.nextClear(at, unsettledTo)) {
                long freeTo = leased.nextSet(at, unsettledTo);
                takenCount += taken.set(at, freeTo);
                retries.await(at, freeTo, dueMs);
                at = freeTo;
            }
        }
    }

    /**
     * The group goes on at another offset. Settled ranges, failures and leases are forgotten, so that whoever settles
     * later has lost its lease.
     */
    public void applySeek(long offset) {
        settled.clearAll();
        taken.clearAll();
        leased.clearAll();
        settledCount = 0;
        takenCount = 0;
        retries.clear(offset);
        leases.clear();
        deadlines.clear();
        cursor = offset;
        high = offset;
        freshFrom = offset;
    }

    /** The log now starts here: everything below counts as settled. Leases stay until they are settled or expire. */
    public void skipTo(long offset) {
        advance(offset);
    }

    /** The first unsettled offset. */
    public long cursor() {
        return cursor;
    }

    /** Settled records above the cursor. */
    public long settledAbove() {
        return settledCount;
    }

    /** Records that are leased or pending. */
    public long inFlight() {
        return takenCount - settledCount - retries.count();
    }

    /** Records that were delivered before and are in the pool again, due or not. */
    public long waitingRetry() {
        return retries.count();
    }

    /** Visits the settled ranges above the cursor. */
    public void forEachSettled(RangeVisitor visitor) {
        for (long from = settled.nextSet(cursor, high); from < high; ) {
            long to = settled.nextClear(from, high);
            visitor.onRange(from, to);
            from = settled.nextSet(to, high);
        }
    }

    /** Visits the unsettled ranges that failed before, wherever they are now. */
    public void forEachFailed(FailedVisitor visitor) {
        for (long from = nextFailed(cursor); from < high; ) {
            int failures = retries.failures(from);
            long dueMs = retries.dueMs(from);
            long to = from + 1;
            while (to < high && !settled.get(to) && retries.failures(to) == failures && retries.dueMs(to) == dueMs) {
                to++;
            }
            visitor.onFailed(from, to, failures, dueMs);
            from = nextFailed(to);
        }
    }

    /**
     * Finds the next records to deliver: first those that come again and are due, the oldest first and at most 1024 at
     * once, then fresh ones. All of a pick have the same history. Nothing changes until {@link #lease}, which may take
     * any part of it.
     *
     * @param limit end of what may be delivered
     */
    public boolean next(long limit, long nowMs, Pick pick) {
        long end = Math.min(limit, cursor + windowLimit);
        retries.promote(nowMs);
        if (retries.next(end, pick)) {
            return true;
        }
        long bound = Math.min(end, high);
        long from = freshFrom < bound ? taken.nextClear(freshFrom, bound) : freshFrom;
        freshFrom = from;
        if (from >= end) {
            return false;
        }
        long to = from < bound ? taken.nextSet(from, bound) : end;
        pick.set(from, to == bound ? end : to, 1, 0);
        return true;
    }

    /** Takes records that {@link #next} found out of the pool and gives them to a member until the deadline. */
    public Lease lease(long from, long to, int attempt, int failures, long memberId, long deadlineMs) {
        if (from < cursor || from >= to || to > cursor + windowLimit) {
            throw notInPool(from, to);
        }
        cover(to);
        if (retries.allReady(from, to)) {
            retries.deliver(from, to, attempt);
        } else if (taken.nextSet(from, to) == to) {
            takenCount += taken.set(from, to);
        } else {
            throw notInPool(from, to);
        }
        leased.set(from, to);
        range.set(from, to, attempt, failures);
        var lease = new Lease(fences.getAsLong(), range, memberId, deadlineMs);
        leases.put(lease.fence(), lease);
        deadlines.add(lease);
        return lease;
    }

    /** The live lease with this fence. */
    public @Nullable Lease find(long fence) {
        return leases.get(fence);
    }

    /**
     * A member settles records of its lease. They leave it, and unless they are released they are pending, never
     * redelivered, until their durable record is applied. False = LEASE_LOST, and nothing changes: the fence is not
     * known (any more), or not all of the range is still in the lease.
     */
    public boolean settle(long fence, long from, long to, Outcome outcome) {
        var lease = leases.get(fence);
        if (lease == null || !lease.take(from, to)) {
            return false;
        }
        if (lease.unsettled() == 0) {
            leases.remove(fence);
            deadlines.remove(lease);
        }
        if (outcome == Outcome.RELEASE) {
            toPool(from, to, lease.attempt());
        } else {
            leave(from, to);
        }
        return true;
    }

    /** Moves the deadline of a lease; false when it is lost. */
    public boolean extend(long fence, long deadlineMs) {
        var lease = leases.get(fence);
        if (lease == null) {
            return false;
        }
        deadlines.reschedule(lease, deadlineMs);
        return true;
    }

    /**
     * Ends the leases whose deadline has come. Their unsettled ranges become pending and are visited; the caller answers
     * each with {@link #applyFailed}, or with {@link #applySettled} once it is in the dead-letter topic.
     */
    public void expire(long nowMs, LeaseVisitor visitor) {
        while (deadlines.size() > 0 && deadlines.at(0).deadlineMs() <= nowMs) {
            var lease = deadlines.at(0);
            deadlines.remove(lease);
            leases.remove(lease.fence());
            lease.forEachUnsettled(this::leave);
            lease.forEachUnsettled((from, to) -> visitor.onExpired(from, to, lease));
        }
    }

    /** A member is gone: what it held goes back to the pool at once, and no failure counts. */
    public void releaseMember(long memberId) {
        var gone = new ArrayList<Lease>();
        for (int i = 0; i < deadlines.size(); i++) {
            if (deadlines.at(i).memberId() == memberId) {
                gone.add(deadlines.at(i));
            }
        }
        for (var lease : gone) {
            deadlines.remove(lease);
            leases.remove(lease.fence());
            lease.forEachUnsettled((from, to) -> toPool(from, to, lease.attempt()));
        }
    }

    /** When {@link #expire} or {@link #next} has something new to do: the earliest deadline or due time. */
    public long nextTimerMs() {
        long dueMs = retries.nextDueMs();
        return deadlines.size() == 0 ? dueMs : Math.min(dueMs, deadlines.at(0).deadlineMs());
    }

    /** Bytes of the arrays behind it, leases not counted. */
    public long memoryBytes() {
        return settled.memoryBytes() + taken.memoryBytes() + leased.memoryBytes() + retries.memoryBytes();
    }

    /** Moves the cursor up to here and over what is settled from here on. */
    private void advance(long to) {
        if (to <= cursor) {
            return;
        }
        pass(to);
        if (settledCount > 0) {
            pass(settled.nextClear(cursor, high));
        }
    }

    private void pass(long to) {
        long end = Math.min(to, high);
        if (cursor < end) {
            takenCount -= taken.clear(cursor, end);
            leased.clear(cursor, end);
            if (settledCount > 0) {
                settledCount -= settled.clear(cursor, end);
            }
        }
        cursor = to;
        high = Math.max(high, to);
        freshFrom = Math.max(freshFrom, to);
        retries.passed(to);
    }

    /** Makes room for bits below {@code to}. */
    private void cover(long to) {
        if (to > high) {
            settled.cover(cursor, to);
            taken.cover(cursor, to);
            leased.cover(cursor, to);
            high = to;
        }
    }

    /** Records leave a lease. What lies below the cursor has no bits any more. */
    private void leave(long from, long to) {
        long start = Math.max(from, cursor);
        if (start < to) {
            leased.clear(start, to);
        }
    }

    /** Records leave a lease and can be delivered again, unless they were settled meanwhile. */
    private void toPool(long from, long to, int attempt) {
        leave(from, to);
        for (long at = settled.nextClear(Math.max(from, cursor), to); at < to; at = settled.nextClear(at, to)) {
            long end = settled.nextSet(at, to);
            retries.release(at, end, attempt);
            at = end;
        }
    }

    /** First offset from {@code from} on that is unsettled and failed before, or {@code high}. */
    private long nextFailed(long from) {
        long at = retries.nextInPage(from, high);
        while (at < high && (settled.get(at) || retries.failures(at) == 0)) {
            at = retries.nextInPage(at + 1, high);
        }
        return at;
    }

    private IllegalStateException notInPool(long from, long to) {
        return new IllegalStateException("records [" + from + ", " + to + ") are not in the pool: cursor " + cursor
                + ", highest delivered " + high + ", window limit " + windowLimit);
    }
}
