package io.spillway.broker.subscription;

import java.util.Arrays;

/**
 * A set of offsets from a base upward that stays small where it is dense: pages of 8,192 bits, and pages that are empty
 * or full take no memory but their entry in a ring, so that a million settled records behind one that is not cost a
 * kilobyte. Offsets above the highest set one are clear; offsets below the base must not be asked for. Ranges are half
 * open.
 *
 * <p>Confined to the shard thread.
 */
final class OffsetSet {
    private static final int PAGE_BITS = 13;
    private static final int PAGE_OFFSETS = 1 << PAGE_BITS;
    private static final int PAGE_WORDS = PAGE_OFFSETS >> 6;
    private static final int WORD_MASK = PAGE_WORDS - 1;
    private static final int FIRST_PAGES = 2;

    /** Shared by all pages without a set bit; never written. */
    private static final long[] EMPTY = new long[PAGE_WORDS];
    /** Shared by all pages without a clear bit; never written. */
    private static final long[] FULL = full();

    private long[][] pages;
    /** Set bits of each page. */
    private int[] counts = new int[FIRST_PAGES];

    private int mask = FIRST_PAGES - 1;
    private long[] spare = EMPTY;
    private int written;
    private long base;
    /** No bit is set from here on. */
    private long end;

    private long count;

    OffsetSet(long base) {
        this.base = base;
        this.end = base;
        pages = empty(FIRST_PAGES);
    }

    private static long[] full() {
        var page = new long[PAGE_WORDS];
        Arrays.fill(page, -1L);
        return page;
    }

    private static long[][] empty(int size) {
        var table = new long[size][];
        Arrays.fill(table, EMPTY);
        return table;
    }

    /** Offsets in the set. */
    long count() {
        return count;
    }

    /** Nothing is set from here on. */
    long end() {
        return end;
    }

    boolean get(long offset) {
        return offset < end && (pages[slot(offset)][word(offset)] & 1L << offset) != 0;
    }

    void set(long from, long to) {
        cover(to);
        end = Math.max(end, to);
        for (long at = from; at < to; at = pageEnd(at)) {
            setInPage(slot(at), at, Math.min(to, pageEnd(at)));
        }
    }

    private void setInPage(int slot, long from, long to) {
        if (counts[slot] == PAGE_OFFSETS) {
            return;
        }
        if (to - from == PAGE_OFFSETS) {
            count += PAGE_OFFSETS - counts[slot];
            replace(slot, FULL, PAGE_OFFSETS);
            return;
        }
        var page = writable(slot);
        int added = 0;
        for (long first = from; first < to; first = (first | 63) + 1) {
            long bits = bitsOf(first, to);
            added += Long.bitCount(bits & ~page[word(first)]);
            page[word(first)] |= bits;
        }
        count += added;
        counts[slot] += added;
        if (counts[slot] == PAGE_OFFSETS) {
            replace(slot, FULL, PAGE_OFFSETS);
        }
    }

    void clear(long from, long to) {
        long last = Math.min(to, end);
        if (count == 0) {
            return;
        }
        for (long at = from; at < last; at = pageEnd(at)) {
            clearInPage(slot(at), at, Math.min(last, pageEnd(at)));
        }
    }

    private void clearInPage(int slot, long from, long to) {
        if (counts[slot] == 0) {
            return;
        }
        if (to - from == PAGE_OFFSETS) {
            count -= counts[slot];
            replace(slot, EMPTY, 0);
            return;
        }
        var page = writable(slot);
        int removed = 0;
        for (long first = from; first < to; first = (first | 63) + 1) {
            long bits = bitsOf(first, to);
            removed += Long.bitCount(bits & page[word(first)]);
            page[word(first)] &= ~bits;
        }
        count -= removed;
        counts[slot] -= removed;
        if (counts[slot] == 0) {
            replace(slot, EMPTY, 0);
        }
    }

    /** Moves the base up; what was set below it is forgotten. */
    void advance(long newBase) {
        clear(base, newBase);
        base = newBase;
        end = Math.max(end, newBase);
    }

    /** Forgets everything and starts at another base. */
    void reset(long newBase) {
        if (count > 0) {
            pages = empty(FIRST_PAGES);
            counts = new int[FIRST_PAGES];
            mask = FIRST_PAGES - 1;
            written = 0;
            count = 0;
        }
        base = newBase;
        end = newBase;
    }

    /** First offset of [from, to) in the set, or {@code to}. */
    long nextSet(long from, long to) {
        long last = Math.min(to, end);
        if (count == 0 || from >= last) {
            return to;
        }
        long found = next(from, last, 0, PAGE_OFFSETS);
        return found == last ? to : found;
    }

    /** First offset of [from, to) that is not in the set, or {@code to}. */
    long nextClear(long from, long to) {
        long last = Math.min(to, end);
        return count == 0 || from >= last ? Math.min(from, to) : next(from, last, -1L, 0);
    }

    /** @param all the number of set bits of a page in which every bit is looked for */
    private long next(long from, long to, long flip, int all) {
        for (long at = from; at < to; at = pageEnd(at)) {
            int slot = slot(at);
            if (counts[slot] == all) {
                return at;
            }
            if (counts[slot] != PAGE_OFFSETS - all) {
                long found = nextInPage(pages[slot], at, Math.min(to, pageEnd(at)), flip);
                if (found >= 0) {
                    return found;
                }
            }
        }
        return to;
    }

    private static long nextInPage(long[] page, long from, long to, long flip) {
        long at = from;
        long bits = (page[word(at)] ^ flip) & -1L << at;
        while (bits == 0) {
            at = (at | 63) + 1;
            if (at >= to) {
                return -1;
            }
            bits = page[word(at)] ^ flip;
        }
        long found = (at & ~63L) + Long.numberOfTrailingZeros(bits);
        return found < to ? found : -1;
    }

    /** Visits the ranges of the set within [from, to). */
    void forEach(long from, long to, SubscriptionState.RangeVisitor visitor) {
        for (long at = nextSet(from, to); at < to; ) {
            long runEnd = nextClear(at, to);
            visitor.onRange(at, runEnd);
            at = nextSet(runEnd, to);
        }
    }

    long memoryBytes() {
        long own = written + (spare == EMPTY ? 0 : 1);
        return own * PAGE_WORDS * Long.BYTES + (long) counts.length * 2 * Integer.BYTES;
    }

    private long[] writable(int slot) {
        var page = pages[slot];
        if (page != EMPTY && page != FULL) {
            return page;
        }
        var own = spare == EMPTY ? new long[PAGE_WORDS] : spare;
        spare = EMPTY;
        Arrays.fill(own, page == FULL ? -1L : 0);
        pages[slot] = own;
        written++;
        return own;
    }

    private void replace(int slot, long[] shared, int newCount) {
        var page = pages[slot];
        if (page != EMPTY && page != FULL) {
            spare = page;
            written--;
        }
        pages[slot] = shared;
        counts[slot] = newCount;
    }

    private void cover(long to) {
        long first = base >>> PAGE_BITS;
        long needed = (to - 1 >>> PAGE_BITS) - first + 1;
        if (needed <= pages.length) {
            return;
        }
        int size = Math.toIntExact(Long.highestOneBit(needed - 1) << 1);
        var grown = empty(size);
        var grownCounts = new int[size];
        for (long page = first; page < first + pages.length; page++) {
            grown[(int) page & size - 1] = pages[(int) page & mask];
            grownCounts[(int) page & size - 1] = counts[(int) page & mask];
        }
        pages = grown;
        counts = grownCounts;
        mask = size - 1;
    }

    private int slot(long offset) {
        return (int) (offset >>> PAGE_BITS) & mask;
    }

    private static int word(long offset) {
        return (int) (offset >>> 6) & WORD_MASK;
    }

    private static long pageEnd(long offset) {
        return (offset | PAGE_OFFSETS - 1) + 1;
    }

    /** The bits of the word of {@code first} that lie in [first, to). */
    private static long bitsOf(long first, long to) {
        long low = -1L << first;
        return to - 1 >>> 6 == first >>> 6 ? low & -1L >>> -to : low;
    }
}
