package io.spillway.broker.subscription;

import java.util.Arrays;
import java.util.function.Consumer;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * One group on one partition. Durable is what {@code apply...} and {@link #skipTo} change: the cursor, the settled
 * ranges above it, and failures with the time of the next try; it is a fold of the log and the same after a restart.
 * Leases are volatile. All ranges are half open.
 *
 * <pre>
 *            cursor                                   frontier                  cursor + window limit
 *   settled    |  settled, leased, pending, in the pool  |   fresh, in the pool   |  not yet
 * </pre>
 *
 * Everything below the frontier is taken: settled, leased, pending (its outcome is decided and its durable record is on
 * the way) or in the pool for a further delivery. What is delivered and settled in order moves two numbers. Bits exist
 * only for the rest: settled above the cursor, taken ahead of the frontier (after a restart), failed and pending. Memory
 * follows the distance from the cursor to the highest bit, which the window limit bounds; records that failed or were
 * given back cost 16 bytes more each.
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
    public static final int MAX_SPAN = 1 << 30;

    /** Sees ranges of offsets, lowest first. */
    public interface RangeVisitor {
        void onRange(long from, long to);
    }

    /** Sees failed ranges, lowest first. */
    public interface FailedVisitor {
        void onFailed(long from, long to, int failures, long dueMs, int[] failedBy);
    }

    /** Sees ranges, lowest first, and the members their records failed with. */
    public interface FailedByVisitor {
        void onRange(long from, long to, int[] failedBy);
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
    final int maxUnsettled;
    private final LongSupplier fences;

    private long cursor;

    private final OffsetSet settled;
    /** Pending and on the way to a failure. */
    private final OffsetSet failing;

    final Pool pool;
    final Leases leases = new Leases();
    private final Pick range = new Pick();

    /** A group without order of keys that delivers what its window has. */
    public SubscriptionState(long cursor, int windowLimit, LongSupplier fences) {
        this(cursor, windowLimit, Integer.MAX_VALUE, null, fences);
    }

    /**
     * Everything below the cursor is settled, nothing above it.
     *
     * @param windowLimit most offsets between the cursor and the highest delivered record, 1..{@link #MAX_SPAN}
     * @param maxUnsettled records that are leased, pending, waiting or held at which no fresh one is taken
     * @param owners who gets which keys, when each key's records are delivered one at a time; null = no order
     * @param fences gives a new number for each lease, never one that was given before, also not by an earlier leader
     */
    public SubscriptionState(
            long cursor, int windowLimit, int maxUnsettled, @Nullable SlotOwners owners, LongSupplier fences) {
        if (windowLimit < 1 || windowLimit > MAX_SPAN) {
            throw new IllegalArgumentException("window limit " + windowLimit + "; 1.." + MAX_SPAN);
        }
        this.windowLimit = windowLimit;
        this.maxUnsettled = maxUnsettled;
        this.cursor = cursor;
        this.fences = fences;
        this.settled = new OffsetSet(cursor);
        this.failing = new OffsetSet(cursor);
        this.pool = new Pool(cursor, owners);
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
        leavePool(from, end);
        settled.set(from, end);
        failing.clear(from, end);
        pool.take(from, end);
    }

    private void leavePool(long from, long to) {
        for (long at = settled.nextClear(from, to); at < to; at = settled.nextClear(at, to)) {
            long end = settled.nextSet(at, to);
            pool.settled(at, end);
            at = end;
        }
    }

    /**
     * Records failed for the n-th time and are due again at a time. What is settled stays settled. A record in a live
     * lease takes the history and stays in its lease.
     *
     * @param failedBy the members they failed with, as far as that is of interest; not changed any more
     */
    public void applyFailed(long from, long to, int failures, long dueMs, int... failedBy) {
        long end = Math.min(to, cursor + MAX_SPAN);
        for (long at = settled.nextClear(Math.max(from, cursor), end); at < end; at = settled.nextClear(at, end)) {
            long unsettledTo = settled.nextSet(at, end);
            pool.recordFailure(at, unsettledTo, failures, dueMs, failedBy);
            pool.take(at, unsettledTo);
            if ((leases.isEmpty() && pool.held() == 0) || failing.nextClear(at, unsettledTo) == unsettledTo) {
                failing.clear(at, unsettledTo);
                pool.await(at, unsettledTo, dueMs);
            } else {
                awaitUnlessLeased(at, unsettledTo, dueMs);
            }
            at = unsettledTo;
        }
    }

    /** A failure that no lease of ours led to, as one from before a seek: what is leased or held back now stays so. */
    private void awaitUnlessLeased(long from, long to, long dueMs) {
        var leased = new OffsetBits(from);
        leases.forEach(lease -> lease.forEachUnsettled((first, end) -> {
            if (first < to && end > from) {
                leased.set(Math.max(first, from), Math.min(end, to));
            }
        }));
        for (long at = from; at < to; at++) {
            if (!leased.get(at) && !pool.holds(at)) {
                failing.clear(at, at + 1);
                pool.await(at, at + 1, dueMs);
            }
        }
    }

    /**
     * The group goes on at another offset. Settled ranges, failures and leases are forgotten, so that whoever settles
     * later has lost its lease.
     */
    public void applySeek(long offset) {
        settled.reset(offset);
        failing.reset(offset);
        pool.clear(offset);
        leases.clear();
        cursor = offset;
    }

    /** The log now starts here: everything below counts as settled. Leases stay until they are settled or expire. */
    public void skipTo(long offset) {
        advance(offset);
    }

    /** The first unsettled offset. */
    public long cursor() {
        return cursor;
    }

    /** Whether a record is settled for good. */
    public boolean isSettled(long offset) {
        return offset < cursor || settled.get(offset);
    }

    /** Settled records above the cursor. */
    public long settledAbove() {
        return settled.count();
    }

    /** Whether somebody holds records. */
    public boolean hasLeases() {
        return !leases.isEmpty();
    }

    /** Records that are leased or pending. */
    public long inFlight() {
        return unsettled() - pool.count();
    }

    /** Records that are not fresh and not settled, wherever they are. */
    long unsettled() {
        return pool.taken(cursor) - settled.count();
    }

    /** Records that were delivered before and are in the pool again, due or not. */
    public long waitingRetry() {
        return pool.waitingRetry();
    }

    /** Records that are held back until a time of their own. */
    public long scheduled() {
        return pool.scheduled();
    }

    /** Records that wait until one before them with the same key is settled. */
    public long keyBlocked() {
        return pool.keyBlocked();
    }

    /** Visits the settled ranges above the cursor. */
    public void forEachSettled(RangeVisitor visitor) {
        long end = settled.end();
        for (long from = settled.nextSet(cursor, end); from < end; ) {
            long to = settled.nextClear(from, end);
            visitor.onRange(from, to);
            from = settled.nextSet(to, end);
        }
    }

    /** Visits the unsettled ranges that failed before, wherever they are now. */
    public void forEachFailed(FailedVisitor visitor) {
        long end = pool.end();
        for (long from = nextFailed(cursor, end); from < end; ) {
            int failures = pool.failures(from);
            long dueMs = pool.dueMs(from);
            int[] failedBy = pool.failedBy(from);
            long to = from + 1;
            while (to < end
                    && !settled.get(to)
                    && pool.failures(to) == failures
                    && pool.dueMs(to) == dueMs
                    && Arrays.equals(pool.failedBy(to), failedBy)) {
                to++;
            }
            visitor.onFailed(from, to, failures, dueMs, failedBy);
            from = nextFailed(to, end);
        }
    }

    /** Visits a range in parts whose records failed with the same members. */
    public void forEachFailedBy(long from, long to, FailedByVisitor visitor) {
        for (long at = from; at < to; ) {
            int[] failedBy = pool.failedBy(at);
            long end = at + 1;
            while (end < to && Arrays.equals(pool.failedBy(end), failedBy)) {
                end++;
            }
            visitor.onRange(at, end, failedBy);
            at = end;
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
        return pool.next(Math.min(limit, cursor + windowLimit), maxUnsettled - unsettled(), nowMs, pick);
    }

    /** Takes records that {@link #next} found out of the pool and gives them to a member until the deadline. */
    public Lease lease(long from, long to, int attempt, int failures, long memberId, long deadlineMs) {
        if (from < cursor || from >= to || to > cursor + windowLimit) {
            throw notInPool(from, to);
        }
        claim(from, to);
        if (attempt > 1) {
            pool.delivered(from, to, attempt);
        }
        range.set(from, to, attempt, failures);
        var lease = new Lease(fences.getAsLong(), range, memberId, deadlineMs);
        leases.add(lease);
        return lease;
    }

    /**
     * Takes records that {@link #next} found out of the pool, to be looked at one by one: from here on they are pending,
     * until each is leased or its durable record is applied.
     */
    public void claim(long from, long to) {
        if (from < cursor || from >= to || !pool.claim(from, to)) {
            throw notInPool(from, to);
        }
    }

    /** Holds back some of what was claimed until a time of its own. */
    public void schedule(long from, long to, long dueMs) {
        pool.schedule(from, to, dueMs);
    }

    /** Gives some of what was claimed, all with the same history, to a member until the deadline. */
    public Lease lease(Selection claimed, int attempt, int failures, long memberId, long deadlineMs) {
        range.set(0, 0, attempt, failures);
        var lease = Lease.of(fences.getAsLong(), claimed, range, memberId, deadlineMs);
        if (attempt > 1) {
            claimed.forEach((from, to) -> pool.delivered(from, to, attempt));
        }
        leases.add(lease);
        return lease;
    }

    /** KEY_ORDERED: the first offset whose record has not been looked at by {@link #arrive}. */
    public long arrivalsFrom() {
        return pool.seen();
    }

    /**
     * KEY_ORDERED: whether more records may arrive, of those below the limit. After a restart everything that was out
     * before may arrive again, however much that is: what failed counts as unsettled already, and comes to its turn only
     * once it has arrived.
     */
    public boolean canArrive(long limit) {
        boolean isRoom = pool.seen() < pool.end() || unsettled() < maxUnsettled;
        return isRoom && pool.seen() < Math.min(limit, cursor + windowLimit);
    }

    /** Tells the key hash of a record; 0 = none. */
    public interface KeyHashes {
        int of(long offset);
    }

    /**
     * KEY_ORDERED: the next records up to this offset arrive. Each gets the turn of its key or waits for it. What is
     * rejected is pending from here on, and the caller settles it; what of that is settled already leaves the selection.
     */
    public void arrive(long to, KeyHashes keys, Selection rejected) {
        for (long at = pool.seen(); at < to; at++) {
            int index = (int) (at - rejected.baseOffset());
            boolean isRejected = rejected.has(index);
            if (settled.get(at)) {
                rejected.remove(index);
            } else if (!isRejected) {
                pool.arrive(at, keys.of(at));
            } else if (!pool.reject(at)) {
                rejected.remove(index);
            }
        }
        pool.arrivedUpTo(to);
    }

    /** KEY_ORDERED: finds the first record that has its turn and goes to this member. */
    public boolean nextOf(long memberId, long nowMs, Pick pick) {
        return pool.next(memberId, nowMs, pick);
    }

    /**
     * KEY_ORDERED: of the batch that the selection names, claims what {@link #nextOf} found and more that has its turn,
     * goes to the member and has the same history.
     */
    public void claimOf(long memberId, Pick first, int max, Selection selection) {
        pool.claim(memberId, first, max, selection);
    }

    /** KEY_ORDERED: slots have other owners from here on. */
    public void ownersChanged() {
        pool.reassign(cursor);
    }

    /** The live lease with this fence. */
    public @Nullable Lease find(long fence) {
        return leases.find(fence);
    }

    /**
     * A member settles records of its lease: those of the range that were leased. They leave it, and unless they are
     * released they are pending, never redelivered, until their durable record is applied. False = LEASE_LOST, and
     * nothing changes: the fence is not known (any more), or something of the range is no longer in the lease.
     */
    public boolean settle(long fence, long from, long to, Outcome outcome) {
        var lease = leases.find(fence);
        if (lease == null || !lease.take(from, to)) {
            return false;
        }
        if (lease.unsettled() == 0) {
            leases.remove(lease);
        }
        switch (outcome) {
            case RELEASE -> lease.forEach(from, to, (first, end) -> toPool(first, end, lease.attempt()));
            case NACK -> lease.forEach(from, to, this::failing);
            case ACCEPT, TERM -> {}
        }
        return true;
    }

    /** Visits the live leases; the visitor changes none. */
    public void forEachLease(Consumer<Lease> visitor) {
        leases.forEach(visitor);
    }

    /** Moves the deadline of a lease; false when it is lost. */
    public boolean extend(long fence, long deadlineMs) {
        var lease = leases.find(fence);
        if (lease == null) {
            return false;
        }
        leases.reschedule(lease, deadlineMs);
        return true;
    }

    /**
     * Ends the leases whose deadline has come. Their unsettled ranges become pending and are visited; the caller answers
     * each with {@link #applyFailed}, or with {@link #applySettled} once it is in the dead-letter topic.
     */
    public void expire(long nowMs, LeaseVisitor visitor) {
        while (!leases.isEmpty() && leases.firstMs() <= nowMs) {
            var lease = leases.removeFirst();
            lease.forEachUnsettled(this::failing);
            lease.forEachUnsettled((from, to) -> visitor.onExpired(from, to, lease));
        }
    }

    /** A member is gone: what it held goes back to the pool at once, and no failure counts. */
    public void releaseMember(long memberId) {
        for (var lease : leases.removeOf(memberId)) {
            lease.forEachUnsettled((from, to) -> toPool(from, to, lease.attempt()));
        }
    }

    /** When {@link #expire} or {@link #next} has something new to do: the earliest deadline or due time. */
    public long nextTimerMs() {
        return Math.min(pool.nextDueMs(), leases.firstMs());
    }

    /** Bytes of the arrays behind it, leases not counted. */
    public long memoryBytes() {
        return settled.memoryBytes() + failing.memoryBytes() + pool.memoryBytes();
    }

    /** Moves the cursor up to here and over what is settled from here on. */
    private void advance(long to) {
        if (to <= cursor) {
            return;
        }
        if (pool.isOrdered()) {
            leavePool(cursor, to);
        }
        cursor = settled.nextClear(to, Math.max(to, settled.end()));
        settled.advance(cursor);
        failing.advance(cursor);
        pool.passed(cursor);
    }

    /** Records leave a lease to fail. What lies below the cursor does not count any more. */
    private void failing(long from, long to) {
        long start = Math.max(from, cursor);
        if (start < to) {
            failing.set(start, to);
        }
    }

    /** Records leave a lease and can be delivered again, unless they were settled meanwhile. */
    private void toPool(long from, long to, int attempt) {
        for (long at = settled.nextClear(Math.max(from, cursor), to); at < to; at = settled.nextClear(at, to)) {
            long end = settled.nextSet(at, to);
            pool.release(at, end, attempt);
            at = end;
        }
    }

    /** First offset of [from, end) that is unsettled and failed before, or {@code end}. */
    private long nextFailed(long from, long end) {
        long at = pool.nextFailed(from, end);
        while (at < end && settled.get(at)) {
            at = pool.nextFailed(at + 1, end);
        }
        return at;
    }

    private IllegalStateException notInPool(long from, long to) {
        return new IllegalStateException("records [" + from + ", " + to + ") are not in the pool: cursor " + cursor
                + ", window limit " + windowLimit);
    }
}
