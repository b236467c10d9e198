package io.spillway.broker.subscription;

import org.jspecify.annotations.Nullable;

/**
 * What of a group's unsettled records is in no lease: fresh ones, those that come again, those held back until a time of
 * their own and, in a KEY_ORDERED group, those that have or await the turn of their key.
 *
 * <p>Below the frontier nothing is fresh; above it some are taken all the same, after a restart. In a KEY_ORDERED group
 * everything below {@code seen} has arrived, key by key, in the order of offsets; nothing above is delivered.
 *
 * <p>Confined to the shard thread.
 */
final class Pool {
    private long frontier;
    private long seen;
    /** Taken although not below the frontier. */
    private final OffsetSet ahead;

    private final Retries retries;
    private final Scheduled scheduled;
    private final @Nullable KeyOrder order;

    Pool(long start, @Nullable SlotOwners owners) {
        frontier = start;
        seen = start;
        ahead = new OffsetSet(start);
        retries = new Retries(start);
        scheduled = new Scheduled(start);
        order = owners == null ? null : new KeyOrder(start, owners);
    }

    boolean isOrdered() {
        return order != null;
    }

    /** Records that are not fresh, from the cursor on. */
    long taken(long cursor) {
        return frontier - cursor + ahead.count();
    }

    /** Everything from here on is fresh. */
    long end() {
        return Math.max(frontier, ahead.end());
    }

    /** Taken records in the pool. */
    long count() {
        return retries.count() + held();
    }

    long waitingRetry() {
        return retries.count();
    }

    long scheduled() {
        return scheduled.count();
    }

    long keyBlocked() {
        return order == null ? 0 : order.parked();
    }

    /** Whether others wait behind a record for their key. */
    boolean isAwaited(long at) {
        return order != null && order.isAwaited(at);
    }

    /** Records that are in the pool and do not come again. */
    long held() {
        return scheduled.count() + (order == null ? 0 : order.parked() + order.ready());
    }

    boolean holds(long at) {
        return scheduled.holds(at) || (order != null && order.holds(at));
    }

    /** Records are no longer fresh. */
    void take(long from, long to) {
        if (from <= frontier && ahead.count() == 0) {
            frontier = Math.max(frontier, to);
            ahead.advance(frontier);
        } else if (to > frontier) {
            ahead.set(Math.max(from, frontier), to);
        }
    }

    void recordFailure(long from, long to, int failures, long dueMs, int[] failedBy) {
        retries.record(from, to, failures, dueMs, failedBy);
    }

    void await(long from, long to, long dueMs) {
        retries.await(from, to, dueMs);
    }

    void release(long from, long to, int attempt) {
        retries.release(from, to, attempt);
    }

    void schedule(long from, long to, long dueMs) {
        scheduled.add(from, to, dueMs);
    }

    void delivered(long from, long to, int attempt) {
        retries.delivered(from, to, attempt);
    }

    /** Records that were not settled before are. */
    void settled(long from, long to) {
        retries.settled(from, to);
        scheduled.settled(from, to);
        if (order != null) {
            order.settled(from, Math.min(to, seen), this::giveTurn);
        }
    }

    private void giveTurn(long at) {
        if (retries.failures(at) > 0) {
            retries.await(at, at + 1, retries.dueMs(at));
        } else {
            ordered().ready(at);
        }
    }

    /** Everything below is settled, and was told so. */
    void passed(long cursor) {
        retries.passed(cursor);
        scheduled.passed(cursor);
        if (order != null) {
            order.passed(cursor);
        }
        if (frontier < cursor) {
            frontier = cursor;
            ahead.advance(cursor);
        }
        seen = Math.max(seen, cursor);
    }

    void clear(long cursor) {
        ahead.reset(cursor);
        retries.clear(cursor);
        scheduled.clear(cursor);
        if (order != null) {
            order.clear(cursor);
        }
        frontier = cursor;
        seen = cursor;
    }

    /** Finds the next records of a group without order; of fresh ones {@code maxFresh} at most. */
    boolean next(long end, long maxFresh, long nowMs, Pick pick) {
        retries.promote(nowMs);
        scheduled.promote(nowMs, retries::admit);
        if (retries.next(end, pick)) {
            return true;
        }
        if (frontier >= end) {
            return false;
        }
        frontier = ahead.nextClear(frontier, end);
        ahead.advance(frontier);
        if (frontier == end || maxFresh <= 0) {
            return false;
        }
        pick.set(frontier, Math.min(ahead.nextSet(frontier, end), frontier + maxFresh), 1, 0);
        return true;
    }

    /** Takes records that {@link #next} found out of the pool; false, and nothing happens, when they are not in it. */
    boolean claim(long from, long to) {
        if (from >= frontier && ahead.nextSet(from, to) == to) {
            take(from, to);
            return true;
        }
        if (retries.allReady(from, to)) {
            retries.claim(from, to);
            return true;
        }
        return false;
    }

    /** Whether a record is fresh. */
    private boolean isFresh(long at) {
        return at >= frontier && !ahead.get(at);
    }

    /** The first offset that has not arrived in a KEY_ORDERED group. */
    long seen() {
        return seen;
    }

    /** The records up to here have arrived. */
    void arrivedUpTo(long end) {
        seen = Math.max(seen, end);
        frontier = Math.max(frontier, end);
        ahead.advance(frontier);
    }

    /** An unsettled record arrives: what is not its key's first is parked. */
    void arrive(long at, int keyHash) {
        boolean isFresh = isFresh(at);
        if (!isFresh && !retries.holds(at)) {
            return;
        }
        boolean hasTurn = ordered().arrive(at, keyHash);
        if (!isFresh && hasTurn) {
            return;
        }
        retries.settled(at, at + 1);
        if (hasTurn) {
            ordered().ready(at);
        } else {
            ordered().park(at);
        }
    }

    /** An unsettled record arrives that nobody wants: it leaves the pool. False when it was not in it. */
    boolean reject(long at) {
        boolean isHere = isFresh(at) || retries.holds(at);
        retries.settled(at, at + 1);
        return isHere;
    }

    /** Finds the first record that has its turn and goes to this member. */
    boolean next(long memberId, long nowMs, Pick pick) {
        var keys = ordered();
        retries.promote(nowMs);
        scheduled.promote(nowMs, this::makeReady);
        while (retries.next(seen, pick)) {
            retries.claim(pick.from, pick.to);
            makeReady(pick.from, pick.to);
        }
        long first = keys.first(memberId);
        if (first < 0) {
            return false;
        }
        pick.set(first, first + 1, retries.deliveries(first) + 1, retries.failures(first));
        return true;
    }

    private void makeReady(long from, long to) {
        for (long at = from; at < to; at++) {
            ordered().ready(at);
        }
    }

    /** Takes what has its turn, goes to this member and has the history of the pick out of the pool. */
    void claim(long memberId, Pick first, int max, Selection selection) {
        var keys = ordered();
        long end = selection.baseOffset() + selection.records();
        for (long at = first.from; at < end && selection.count() < max; at = keys.next(memberId, at + 1, end)) {
            if (retries.failures(at) == first.failures && retries.deliveries(at) == first.attempt - 1) {
                selection.add((int) (at - selection.baseOffset()));
            }
        }
        selection.forEach((from, to) -> {
            for (long at = from; at < to; at++) {
                keys.unready(at);
            }
        });
    }

    void reassign(long cursor) {
        if (order != null) {
            order.reassign(cursor);
        }
    }

    private KeyOrder ordered() {
        if (order == null) {
            throw new IllegalStateException("the group has no order of keys");
        }
        return order;
    }

    /** First offset of [from, end) that failed before, settled or not, or {@code end}. */
    long nextFailed(long from, long end) {
        long at = retries.nextInPage(from, end);
        while (at < end && retries.failures(at) == 0) {
            at = retries.nextInPage(at + 1, end);
        }
        return at;
    }

    int failures(long at) {
        return retries.failures(at);
    }

    int[] failedBy(long at) {
        return retries.failedBy(at);
    }

    long dueMs(long at) {
        return retries.dueMs(at);
    }

    /** When something in the pool is due; Long.MAX_VALUE when nothing waits for a time. */
    long nextDueMs() {
        return Math.min(retries.nextDueMs(), scheduled.nextDueMs());
    }

    long memoryBytes() {
        return ahead.memoryBytes()
                + retries.memoryBytes()
                + scheduled.memoryBytes()
                + (order == null ? 0 : order.memoryBytes());
    }
}
