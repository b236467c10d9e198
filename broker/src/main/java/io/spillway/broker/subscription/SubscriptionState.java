package io.spillway.broker.subscription;

import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.LongSupplier;
import org.agrona.collections.Long2ObjectHashMap;
import org.jspecify.annotations.Nullable;

/**
 * One group on one partition: what is settled, what is out with whom, what comes again.
 *
 * <p>Everything below the cursor is settled, and so is what {@code settled} marks above it. Offsets from {@code fresh} on
 * were never out. Between the two an offset is settled, in a lease, pending (settled by a member, its record not applied
 * yet) or returned: ready to go out again, or waiting for its time. Only the settled part and the failures are durable and
 * change in {@code apply*}; leases are the leader's and end with it. Memory is bounded by the window: no more than
 * {@code windowLimit} offsets lie between cursor and fresh. Ranges are half open. Confined to the shard thread.
 */
public final class SubscriptionState {
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

    /** How a member settles. */
    public enum Outcome {
        ACCEPT,
        NACK,
        TERM,
        /** Gives back without an attempt counted. */
        RELEASE
    }

    private record Returned(long to, int attempts, int failures, long dueMs) {}

    private final int windowLimit;
    private final LongSupplier fences;
    private final OffsetBits settled = new OffsetBits();
    private final TreeMap<Long, Returned> ready = new TreeMap<>();
    private final TreeMap<Long, Returned> waiting = new TreeMap<>();
    private final Long2ObjectHashMap<Lease> leases = new Long2ObjectHashMap<>();
    private long cursor;
    private long fresh;
    private long inFlight;
    private long nextDeadlineMs = Long.MAX_VALUE;
    private long nextDueMs = Long.MAX_VALUE;

    /**
     * @param windowLimit most offsets between the cursor and the highest one that is out
     * @param fences gives a new number for each lease, never one that was given before, also not by an earlier leader
     */
    public SubscriptionState(long cursor, int windowLimit, LongSupplier fences) {
        this.windowLimit = windowLimit;
        this.fences = fences;
        applySeek(cursor);
    }

    /** Everything below is settled. */
    public long cursor() {
        return cursor;
    }

    /** Offsets settled above the cursor. */
    public long settledAbove() {
        return settled.count();
    }

    /** Offsets in leases. */
    public long inFlight() {
        return inFlight;
    }

    /** Offsets that came back and wait to go out again. */
    public long waitingRetry() {
        return sum(ready) + sum(waiting);
    }

    private static long sum(TreeMap<Long, Returned> ranges) {
        long sum = 0;
        for (Map.Entry<Long, Returned> range : ranges.entrySet()) {
            sum += range.getValue().to - range.getKey();
        }
        return sum;
    }

    /** Settles for good. Idempotent. */
    public void applySettled(long from, long to) {
        long begin = Math.max(from, cursor);
        if (to <= begin) {
            return;
        }
        if (!ready.isEmpty() || !waiting.isEmpty()) {
            cut(ready, begin, to);
            cut(waiting, begin, to);
        }
        if (begin == cursor) {
            cursor = settled.nextClear(to);
            settled.advance(cursor);
            fresh = Math.max(fresh, cursor);
        } else {
            settled.set(begin, to);
        }
    }

    /** Takes [from, to) out of the ranges. */
    private static void cut(TreeMap<Long, Returned> ranges, long from, long to) {
        Map.Entry<Long, Returned> first = ranges.floorEntry(from);
        long at = first != null && first.getValue().to > from ? first.getKey() : from;
        Map.Entry<Long, Returned> next = ranges.ceilingEntry(at);
        while (next != null && next.getKey() < to) {
            Returned range = next.getValue();
            ranges.remove(next.getKey());
            if (next.getKey() < from) {
                ranges.put(next.getKey(), new Returned(from, range.attempts, range.failures, range.dueMs));
            }
            if (range.to > to) {
                ranges.put(to, range);
            }
            next = ranges.higherEntry(next.getKey());
        }
    }

    /** Puts a range back, to go out again once it is due. */
    public void applyFailed(long from, long to, int failures, long dueMs) {
        long begin = Math.max(from, cursor);
        if (to <= begin) {
            return;
        }
        cut(ready, begin, to);
        cut(waiting, begin, to);
        waiting.put(begin, new Returned(to, failures, failures, dueMs));
        nextDueMs = Math.min(nextDueMs, dueMs);
    }

    /** Goes to an offset: everything below counts as settled, nothing from there on does, no lease is left. */
    public void applySeek(long offset) {
        cursor = offset;
        fresh = offset;
        settled.reset(offset);
        ready.clear();
        waiting.clear();
        leases.clear();
        inFlight = 0;
        nextDeadlineMs = Long.MAX_VALUE;
        nextDueMs = Long.MAX_VALUE;
    }

    /** The log begins later now: everything below counts as settled. */
    public void skipTo(long offset) {
        applySettled(cursor, offset);
    }

    public void forEachSettled(RangeVisitor visitor) {
        long at = settled.nextSet(cursor, settled.end());
        while (at < settled.end()) {
            long end = settled.nextClear(at);
            visitor.onRange(at, end);
            at = settled.nextSet(end, settled.end());
        }
    }

    /** The failed ranges, for a snapshot; those in leases again are among them, as a restart returns them. */
    public void forEachFailed(FailedVisitor visitor) {
        TreeMap<Long, Returned> failed = new TreeMap<>(waiting);
        failed.putAll(ready);
        leases.values()
                .forEach(lease -> lease.forEachUnsettled(
                        (from, to) -> failed.put(from, new Returned(to, lease.attempt(), lease.failures(), 0))));
        failed.forEach((from, range) -> {
            if (range.failures > 0) {
                visitor.onFailed(from, range.to, range.failures, range.dueMs);
            }
        });
    }

    /**
     * The next range to deliver below {@code limit}: what came back first, lowest offset first, then what is fresh; uniform
     * in attempts. False when there is nothing. Takes nothing out: {@link #lease} does.
     */
    public boolean next(long limit, long nowMs, Pick pick) {
        if (nowMs >= nextDueMs) {
            promoteDue(nowMs);
        }
        if (!ready.isEmpty()) {
            Map.Entry<Long, Returned> first = ready.firstEntry();
            if (first.getKey() < limit) {
                Returned range = first.getValue();
                pick.set(first.getKey(), Math.min(range.to, limit), range.attempts + 1, range.failures);
                return true;
            }
        }
        long stop = Math.min(limit, cursor + windowLimit);
        long from = skipTaken(fresh, stop);
        fresh = Math.max(fresh, Math.min(from, stop));
        if (from >= stop) {
            return false;
        }
        pick.set(from, endOfFresh(from, stop), 1, 0);
        return true;
    }

    private void promoteDue(long nowMs) {
        nextDueMs = Long.MAX_VALUE;
        Iterator<Map.Entry<Long, Returned>> ranges = waiting.entrySet().iterator();
        while (ranges.hasNext()) {
            Map.Entry<Long, Returned> range = ranges.next();
            if (range.getValue().dueMs <= nowMs) {
                ready.put(range.getKey(), range.getValue());
                ranges.remove();
            } else {
                nextDueMs = Math.min(nextDueMs, range.getValue().dueMs);
            }
        }
    }

    /** After a restart, settled and returned ranges lie among what is fresh. */
    private long skipTaken(long from, long stop) {
        long at = from;
        while (at < stop) {
            long next = Math.max(settled.nextClear(at), Math.max(endOfRange(ready, at), endOfRange(waiting, at)));
            if (next == at) {
                return at;
            }
            at = next;
        }
        return at;
    }

    private static long endOfRange(TreeMap<Long, Returned> ranges, long at) {
        if (ranges.isEmpty()) {
            return at;
        }
        Map.Entry<Long, Returned> range = ranges.floorEntry(at);
        return range == null ? at : Math.max(at, range.getValue().to);
    }

    private long endOfFresh(long from, long stop) {
        long end = settled.nextSet(from, stop);
        Long nextReady = ready.isEmpty() ? null : ready.higherKey(from);
        Long nextWaiting = waiting.isEmpty() ? null : waiting.higherKey(from);
        end = nextReady == null ? end : Math.min(end, nextReady);
        return nextWaiting == null ? end : Math.min(end, nextWaiting);
    }

    /** Takes a picked range, or its beginning, out of the pool. */
    public Lease lease(long from, long to, int attempt, int failures, long memberId, long deadlineMs) {
        if (from >= fresh) {
            fresh = to;
        } else {
            cut(ready, from, to);
        }
        Lease lease = new Lease(fences.getAsLong(), from, to, attempt, failures, memberId, deadlineMs);
        leases.put(lease.fence(), lease);
        inFlight += to - from;
        nextDeadlineMs = Math.min(nextDeadlineMs, deadlineMs);
        return lease;
    }

    public @Nullable Lease find(long fence) {
        return leases.get(fence);
    }

    /**
     * Settles a part of a lease; false = the lease is over or the part was settled before. What is accepted, nacked or
     * terminated stays away until its record is applied; what is released goes back at once.
     */
    public boolean settle(long fence, long from, long to, Outcome outcome) {
        Lease lease = leases.get(fence);
        if (lease == null || from < lease.from() || !lease.settle(from, to)) {
            return false;
        }
        inFlight -= to - from;
        if (lease.unsettled() == 0) {
            leases.remove(fence);
        }
        if (outcome == Outcome.RELEASE) {
            giveBack(lease, from, to);
        }
        return true;
    }

    private void giveBack(Lease lease, long from, long to) {
        long begin = Math.max(from, cursor);
        if (begin < to) {
            ready.put(begin, new Returned(to, lease.attempt(), lease.failures(), 0));
        }
    }

    /** False when the lease is over. */
    public boolean extend(long fence, long deadlineMs) {
        Lease lease = leases.get(fence);
        if (lease == null) {
            return false;
        }
        lease.extend(deadlineMs);
        nextDeadlineMs = Math.min(nextDeadlineMs, deadlineMs);
        return true;
    }

    /**
     * Ends the leases whose deadline has come. What they had not settled is visited and stays away until the caller
     * applies a failure or a settle.
     */
    public void expire(long nowMs, LeaseVisitor visitor) {
        if (nowMs < nextDeadlineMs) {
            return;
        }
        nextDeadlineMs = Long.MAX_VALUE;
        List<Lease> over = new ArrayList<>();
        for (Lease lease : leases.values()) {
            if (lease.deadlineMs() <= nowMs) {
                over.add(lease);
            } else {
                nextDeadlineMs = Math.min(nextDeadlineMs, lease.deadlineMs());
            }
        }
        for (Lease lease : over) {
            leases.remove(lease.fence());
            inFlight -= lease.unsettled();
            lease.forEachUnsettled((from, to) -> visitor.onExpired(from, to, lease));
        }
    }

    /** A member is gone: what it held goes back, no failure counted. */
    public void releaseMember(long memberId) {
        List<Lease> held = new ArrayList<>();
        for (Lease lease : leases.values()) {
            if (lease.memberId() == memberId) {
                held.add(lease);
            }
        }
        for (Lease lease : held) {
            leases.remove(lease.fence());
            inFlight -= lease.unsettled();
            lease.forEachUnsettled((from, to) -> giveBack(lease, from, to));
        }
    }

    /** When a lease ends or a range is due next, at the earliest; Long.MAX_VALUE when nothing is timed. */
    public long nextTimerMs() {
        return Math.min(nextDeadlineMs, nextDueMs);
    }
}
