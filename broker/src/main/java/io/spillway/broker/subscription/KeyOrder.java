package io.spillway.broker.subscription;

import org.agrona.collections.Long2LongHashMap;
import org.agrona.collections.Long2ObjectHashMap;

/**
 * The records of a KEY_ORDERED group whose key has its turn, and those that wait for it. Of each key hash one record has
 * the turn: the first that is unsettled, wherever it is: ready, leased, failed, held back. The others are parked behind
 * it in a chain by offset, and the next one gets the turn when the one before is settled. What is ready goes to the
 * member that owns the key's slot; a record without a key is ready at once and goes to anybody.
 *
 * <p>Every step costs the same however many records wait. A record with a key takes 12 bytes in a page of 256 offsets
 * until it is settled, a key some 32 bytes more while it has one. Volatile: after a restart records arrive again.
 *
 * <p>Confined to the shard thread.
 */
final class KeyOrder {
    private static final long NONE = -1;
    private static final int PAGE_BITS = 8;
    private static final int PAGE_OFFSETS = 1 << PAGE_BITS;
    private static final int PAGE_MASK = PAGE_OFFSETS - 1;
    /** A table of keys larger than this gives its memory back when no key is left. */
    private static final int KEPT_KEYS = 1 << 14;

    private static final Page NO_PAGE = new Page();

    private static final class Page {
        /** Key hashes of unsettled records; 0 = none. */
        final int[] keys = new int[PAGE_OFFSETS];
        /** Offsets of the next record of the key; 0 = none. */
        final long[] nexts = new long[PAGE_OFFSETS];

        int used;
    }

    /** What is ready for one member, or without a key for all. */
    private static final class Turn {
        long count;
        /** Nothing that is ready lies below. */
        long from = Long.MAX_VALUE;

        void add(long at) {
            from = count++ == 0 ? at : Math.min(from, at);
        }
    }

    private final SlotOwners owners;
    /** Everything below is settled. */
    private long start;

    private final Long2ObjectHashMap<Page> pages = new Long2ObjectHashMap<>();
    private final Long2LongHashMap newest = new Long2LongHashMap(NONE);
    private final OffsetSet parked;
    private final OffsetSet ready;
    private final Long2ObjectHashMap<Turn> turns = new Long2ObjectHashMap<>();
    private Turn anybody = new Turn();

    /** The page met last, because records come in order. */
    private Page lastPage = NO_PAGE;

    private long lastPageId = NONE;

    KeyOrder(long start, SlotOwners owners) {
        this.owners = owners;
        this.start = start;
        parked = new OffsetSet(start);
        ready = new OffsetSet(start);
    }

    /** Records that wait for the turn of their key. */
    long parked() {
        return parked.count();
    }

    /** Records that have their turn and can be delivered now. */
    long ready() {
        return ready.count();
    }

    boolean holds(long at) {
        return parked.get(at) || ready.get(at);
    }

    /** Whether others of its key wait behind a record that has the turn. */
    boolean isAwaited(long at) {
        var page = page(at);
        int i = (int) at & PAGE_MASK;
        return page.keys[i] != 0 && page.nexts[i] != 0;
    }

    /** A record is met for the first time, in the order of offsets; true when its key has no other that is unsettled. */
    boolean arrive(long at, int keyHash) {
        if (keyHash == 0) {
            return true;
        }
        long before = newest.put(keyHash, at);
        if (before != NONE) {
            page(before).nexts[(int) before & PAGE_MASK] = at;
        }
        var page = pageFor(at);
        page.keys[(int) at & PAGE_MASK] = keyHash;
        page.used++;
        return before == NONE;
    }

    void park(long at) {
        parked.set(at, at + 1);
    }

    /** A record that has its turn can be delivered. */
    void ready(long at) {
        ready.set(at, at + 1);
        turn(at).add(at);
    }

    /** A record is not ready any more; nothing happens when it was not. */
    void unready(long at) {
        if (ready.get(at)) {
            ready.clear(at, at + 1);
            turn(at).count--;
        }
    }

    /** Sees the records that get their turn. */
    interface TurnVisitor {
        void onTurn(long at);
    }

    /** Records that were not settled before are: what waited for them gets its turn. */
    void settled(long from, long to, TurnVisitor visitor) {
        for (long at = ready.nextSet(from, to); at < to; at = ready.nextSet(at + 1, to)) {
            unready(at);
        }
        for (long first = from; first < to && !pages.isEmpty(); first = (first | PAGE_MASK) + 1) {
            var page = page(first);
            long end = Math.min(to, (first | PAGE_MASK) + 1);
            for (long at = first; at < end && page.used > 0; at++) {
                if (page.keys[(int) at & PAGE_MASK] != 0) {
                    settled(at, visitor);
                }
            }
        }
    }

    private void settled(long at, TurnVisitor visitor) {
        if (parked.get(at)) {
            // It stays in its chain, to be passed over when its turn comes.
            parked.clear(at, at + 1);
            return;
        }
        unready(at);
        long next = leave(at);
        while (next != NONE && !parked.get(next)) {
            next = leave(next);
        }
        if (next != NONE) {
            parked.clear(next, next + 1);
            visitor.onTurn(next);
        }
    }

    /** Takes the first of a chain out of it and returns the next, or NONE. */
    private long leave(long at) {
        var page = page(at);
        int i = (int) at & PAGE_MASK;
        long next = page.nexts[i];
        if (next == 0) {
            newest.remove(page.keys[i]);
            if (newest.isEmpty() && newest.capacity() > KEPT_KEYS) {
                newest.compact();
            }
        }
        page.keys[i] = 0;
        page.nexts[i] = 0;
        if (--page.used == 0) {
            pages.remove(at >>> PAGE_BITS);
            lastPageId = NONE;
        }
        return next == 0 ? NONE : next;
    }

    /** Everything below is settled, and was told so. */
    void passed(long cursor) {
        start = cursor;
        parked.advance(cursor);
        ready.advance(cursor);
    }

    void clear(long cursor) {
        start = cursor;
        pages.clear();
        lastPageId = NONE;
        newest.clear();
        parked.reset(cursor);
        ready.reset(cursor);
        turns.clear();
        anybody = new Turn();
    }

    /** Slots have other owners now. */
    void reassign(long cursor) {
        turns.clear();
        anybody = new Turn();
        for (long at = ready.nextSet(cursor, ready.end()); at < ready.end(); at = ready.nextSet(at + 1, ready.end())) {
            turn(at).add(at);
        }
    }

    /** The first ready record of a member, or NONE. */
    long first(long memberId) {
        var own = turns.get(memberId);
        boolean hasOwn = own != null && own.count > 0;
        if (!hasOwn && anybody.count == 0) {
            return NONE;
        }
        long from = Math.min(hasOwn ? own.from : Long.MAX_VALUE, anybody.count > 0 ? anybody.from : Long.MAX_VALUE);
        long at = next(memberId, Math.max(from, start), ready.end());
        if (hasOwn) {
            own.from = Math.max(own.from, at);
        }
        if (anybody.count > 0) {
            anybody.from = Math.max(anybody.from, at);
        }
        return at;
    }

    /** The first ready record of a member in [from, to), or {@code to}. */
    long next(long memberId, long from, long to) {
        long at = ready.nextSet(from, to);
        while (at < to && !isFor(memberId, at)) {
            at = ready.nextSet(at + 1, to);
        }
        return at;
    }

    private boolean isFor(long memberId, long at) {
        int keyHash = page(at).keys[(int) at & PAGE_MASK];
        return keyHash == 0 || owners.ownerOf(SlotOwners.slot(keyHash)) == memberId;
    }

    private Turn turn(long at) {
        int keyHash = page(at).keys[(int) at & PAGE_MASK];
        if (keyHash == 0) {
            return anybody;
        }
        long owner = owners.ownerOf(SlotOwners.slot(keyHash));
        var turn = turns.get(owner);
        if (turn == null) {
            turn = new Turn();
            turns.put(owner, turn);
        }
        return turn;
    }

    private Page page(long at) {
        long id = at >>> PAGE_BITS;
        if (id != lastPageId) {
            var found = pages.get(id);
            lastPage = found == null ? NO_PAGE : found;
            lastPageId = id;
        }
        return lastPage;
    }

    private Page pageFor(long at) {
        var page = page(at);
        if (page == NO_PAGE) {
            page = new Page();
            pages.put(at >>> PAGE_BITS, page);
            lastPage = page;
        }
        return page;
    }

    long memoryBytes() {
        return parked.memoryBytes()
                + ready.memoryBytes()
                + (long) pages.size() * PAGE_OFFSETS * (Integer.BYTES + Long.BYTES)
                + (long) newest.capacity() * 2 * Long.BYTES;
    }
}
