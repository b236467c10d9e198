package io.spillway.broker.subscription;

import java.util.Arrays;
import org.agrona.collections.Long2ObjectHashMap;
import org.jspecify.annotations.Nullable;

/**
 * The records of a window that were delivered before: how often they failed and with whom, when they are due again, and which
 * of them are back in the pool, either waiting for their time or ready. Histories live in pages of 256 offsets that exist only
 * where something failed or was given back; a page goes when the cursor has passed it.
 *
 * <p>What a settled record leaves in a page is stale; callers mask it by what they know to be settled.
 *
 * <p>Confined to the shard thread.
 */
final class Retries {
    /** Records one pick spans at most, so that a pick costs microseconds whatever lies ready. */
    static final int MAX_PICK = 1024;

    private static final int PAGE_BITS = 8;
    private static final int PAGE_OFFSETS = 1 << PAGE_BITS;
    private static final int PAGE_MASK = PAGE_OFFSETS - 1;
    /** Below this a heap with stale entries is not worth rebuilding. */
    private static final int REBUILD_FROM = 64;

    private static final int[] NOBODY = {};
    /** What a reference to the members a record failed with takes; the members are shared by all that failed together. */
    private static final int REFERENCE_BYTES = 4;

    private static final class Page {
        final long[] dueMs = new long[PAGE_OFFSETS];
        final int[] failures = new int[PAGE_OFFSETS];
        final int[] deliveries = new int[PAGE_OFFSETS];
        /** With whom they failed, as far as somebody wants to know. */
        int @Nullable [][] failedBy;
    }

    private final Long2ObjectHashMap<Page> pages = new Long2ObjectHashMap<>();
    private final DueHeap due = new DueHeap();
    private final OffsetSet waiting;
    private final OffsetSet ready;

    private long start;
    /** No ready record lies below. */
    private long readyFrom;

    Retries(long start) {
        this.start = start;
        this.readyFrom = start;
        this.waiting = new OffsetSet(start);
        this.ready = new OffsetSet(start);
    }

    /** Records in the pool for a further delivery, due or not. */
    long count() {
        return waiting.count() + ready.count();
    }

    /** Writes the history of records that failed, in the pool or not. */
    void record(long from, long to, int failures, long dueMs, int[] failedBy) {
        for (long at = from; at < to; at++) {
            var page = pageFor(at);
            int i = (int) at & PAGE_MASK;
            if (failedBy.length > 0 && page.failedBy == null) {
                page.failedBy = new int[PAGE_OFFSETS][];
                Arrays.fill(page.failedBy, NOBODY);
            }
            if (page.failedBy != null) {
                page.failedBy[i] = failedBy;
            }
            page.failures[i] = failures;
            page.dueMs[i] = dueMs;
            page.deliveries[i] = Math.max(page.deliveries[i], failures);
        }
    }

    /** Puts recorded failures into the pool, to be ready when they are due. */
    void await(long from, long to, long dueMs) {
        ready.clear(from, to);
        waiting.set(from, to);
        due.add(dueMs, from, to);
        if (due.size() > 2 * waiting.count() + REBUILD_FROM) {
            rebuildDue();
        }
    }

    /** Puts records that were given back into the pool at once. */
    void release(long from, long to, int attempt) {
        for (long at = from; at < to; at++) {
            var page = pageFor(at);
            int i = (int) at & PAGE_MASK;
            page.deliveries[i] = Math.max(page.deliveries[i], attempt);
        }
        ready.set(from, to);
        readyFrom = Math.min(readyFrom, from);
    }

    /** Whether a record is in the pool, due or not. */
    boolean holds(long at) {
        return waiting.get(at) || ready.get(at);
    }

    /** Puts records into the pool at once that were held back and never delivered. */
    void admit(long from, long to) {
        ready.set(from, to);
        readyFrom = Math.min(readyFrom, from);
    }

    boolean allReady(long from, long to) {
        return ready.nextClear(from, to) == to;
    }

    /** Takes ready records out of the pool. */
    void claim(long from, long to) {
        ready.clear(from, to);
    }

    /** Writes down how often records were delivered. */
    void delivered(long from, long to, int attempt) {
        for (long at = from; at < to; at++) {
            pageFor(at).deliveries[(int) at & PAGE_MASK] = attempt;
        }
    }

    /** Takes settled records out of the pool. */
    void settled(long from, long to) {
        waiting.clear(from, to);
        ready.clear(from, to);
    }

    /** Everything below is settled: its bits are cleared, its pages dropped. */
    void passed(long cursor) {
        waiting.advance(cursor);
        ready.advance(cursor);
        readyFrom = Math.max(readyFrom, cursor);
        long page = start >>> PAGE_BITS;
        long live = cursor >>> PAGE_BITS;
        start = cursor;
        if (pages.isEmpty()) {
            return;
        }
        if (live - page > pages.size()) {
            pages.keySet().removeIfLong(key -> key < live);
            return;
        }
        for (; page < live; page++) {
            pages.remove(page);
        }
    }

    void clear(long cursor) {
        waiting.reset(cursor);
        ready.reset(cursor);
        pages.clear();
        due.clear();
        start = cursor;
        readyFrom = cursor;
    }

    /** Makes ready what is due. */
    void promote(long nowMs) {
        while (due.size() > 0 && due.dueMs() <= nowMs) {
            long to = due.to();
            for (long at = waiting.nextSet(Math.max(due.from(), start), to);
                    at < to;
                    at = waiting.nextSet(at + 1, to)) {
                if (dueMs(at) <= nowMs) {
                    waiting.clear(at, at + 1);
                    ready.set(at, at + 1);
                    readyFrom = Math.min(readyFrom, at);
                }
            }
            due.pop();
        }
    }

    /** When the next waiting record is due; Long.MAX_VALUE when none waits. */
    long nextDueMs() {
        while (due.size() > 0) {
            long to = due.to();
            for (long at = waiting.nextSet(Math.max(due.from(), start), to);
                    at < to;
                    at = waiting.nextSet(at + 1, to)) {
                if (dueMs(at) == due.dueMs()) {
                    return due.dueMs();
                }
            }
            due.pop();
        }
        return Long.MAX_VALUE;
    }

    /** Finds the first ready records below the limit that share their history. */
    boolean next(long limit, Pick pick) {
        long from = ready.nextSet(readyFrom, limit);
        if (from >= limit) {
            return false;
        }
        readyFrom = from;
        int failures = failures(from);
        int deliveries = deliveries(from);
        long to = ready.nextClear(from, Math.min(limit, from + MAX_PICK));
        long at = from + 1;
        while (at < to && failures(at) == failures && deliveries(at) == deliveries) {
            at++;
        }
        pick.set(from, at, deliveries + 1, failures);
        return true;
    }

    int failures(long at) {
        var page = pages.get(at >>> PAGE_BITS);
        return page == null ? 0 : page.failures[(int) at & PAGE_MASK];
    }

    /** The members a record failed with, each once. */
    int[] failedBy(long at) {
        var page = pages.get(at >>> PAGE_BITS);
        return page == null || page.failedBy == null ? NOBODY : page.failedBy[(int) at & PAGE_MASK];
    }

    long dueMs(long at) {
        var page = pages.get(at >>> PAGE_BITS);
        return page == null ? 0 : page.dueMs[(int) at & PAGE_MASK];
    }

    /** First offset from {@code at} on that lies in a page, or {@code to}. */
    long nextInPage(long at, long to) {
        long next = at;
        while (next < to && !pages.containsKey(next >>> PAGE_BITS)) {
            next = (next >>> PAGE_BITS) + 1 << PAGE_BITS;
        }
        return Math.min(next, to);
    }

    long memoryBytes() {
        return waiting.memoryBytes()
                + ready.memoryBytes()
                + due.memoryBytes()
                + (long) pages.size() * PAGE_OFFSETS * (Long.BYTES + 2 * Integer.BYTES + REFERENCE_BYTES);
    }

    /** How often a record was delivered, as far as that is known. */
    int deliveries(long at) {
        var page = pages.get(at >>> PAGE_BITS);
        return page == null ? 0 : page.deliveries[(int) at & PAGE_MASK];
    }

    private Page pageFor(long at) {
        var page = pages.get(at >>> PAGE_BITS);
        if (page == null) {
            page = new Page();
            pages.put(at >>> PAGE_BITS, page);
        }
        return page;
    }

    /** A record that fails again while it waits, as in recovery, leaves its old entry behind; this drops those. */
    private void rebuildDue() {
        due.clear();
        long end = waiting.end();
        for (long from = waiting.nextSet(start, end); from < end; ) {
            long dueMs = dueMs(from);
            long to = from + 1;
            while (to < end && waiting.get(to) && dueMs(to) == dueMs) {
                to++;
            }
            due.add(dueMs, from, to);
            from = waiting.nextSet(to, end);
        }
    }
}
