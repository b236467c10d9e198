package io.spillway.broker.subscription;

import java.util.Arrays;

/**
 * One bit for each offset from a base upward: a ring of words indexed by the offset itself, which grows by doubling to
 * what is set and never beyond. Offsets above the highest set one are clear without taking memory; offsets below the
 * base must not be asked for. Ranges are half open.
 *
 * <p>Confined to the shard thread.
 */
final class OffsetBits {
    private static final int FIRST_WORDS = 2;

    private long[] words = new long[FIRST_WORDS];
    private int mask = FIRST_WORDS - 1;
    private long base;
    /** No bit is set from here on. */
    private long end;

    private long count;

    OffsetBits(long base) {
        this.base = base;
        this.end = base;
    }

    /** Bits that are set. */
    long count() {
        return count;
    }

    /** No bit is set from here on. */
    long end() {
        return end;
    }

    boolean get(long offset) {
        return offset < end && (words[(int) (offset >>> 6) & mask] & 1L << offset) != 0;
    }

    void set(long from, long to) {
        cover(to);
        end = Math.max(end, to);
        for (long word = from >>> 6; word <= to - 1 >>> 6; word++) {
            long bits = bitsOf(word, from, to);
            int at = (int) word & mask;
            count += Long.bitCount(bits & ~words[at]);
            words[at] |= bits;
        }
    }

    void clear(long from, long to) {
        long last = Math.min(to, end);
        if (count == 0 || from >= last) {
            return;
        }
        for (long word = from >>> 6; word <= last - 1 >>> 6; word++) {
            long bits = bitsOf(word, from, last);
            int at = (int) word & mask;
            count -= Long.bitCount(bits & words[at]);
            words[at] &= ~bits;
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
            Arrays.fill(words, 0);
            count = 0;
        }
        base = newBase;
        end = newBase;
    }

    /** First set bit in [from, to), or {@code to}. */
    long nextSet(long from, long to) {
        long last = Math.min(to, end);
        if (count == 0 || from >= last) {
            return to;
        }
        long found = next(from, last, 0);
        return found == last ? to : found;
    }

    /** First clear bit in [from, to), or {@code to}. */
    long nextClear(long from, long to) {
        if (count == 0 || from >= Math.min(to, end)) {
            return Math.min(from, to);
        }
        return next(from, Math.min(to, end), -1L);
    }

    /** Set bits in [from, to). */
    int count(long from, long to) {
        long last = Math.min(to, end);
        int found = 0;
        if (count > 0 && from < last) {
            for (long word = from >>> 6; word <= last - 1 >>> 6; word++) {
                found += Long.bitCount(words[(int) word & mask] & bitsOf(word, from, last));
            }
        }
        return found;
    }

    /** Visits the set ranges within [from, to). */
    void forEach(long from, long to, SubscriptionState.RangeVisitor visitor) {
        for (long at = nextSet(from, to); at < to; ) {
            long runEnd = nextClear(at, to);
            visitor.onRange(at, runEnd);
            at = nextSet(runEnd, to);
        }
    }

    long memoryBytes() {
        return (long) words.length * Long.BYTES;
    }

    private long next(long from, long to, long flip) {
        long word = from >>> 6;
        long bits = (words[(int) word & mask] ^ flip) & -1L << from;
        while (bits == 0) {
            word++;
            if (word << 6 >= to) {
                return to;
            }
            bits = words[(int) word & mask] ^ flip;
        }
        return Math.min(to, (word << 6) + Long.numberOfTrailingZeros(bits));
    }

    private void cover(long to) {
        long needed = (to - 1 >>> 6) - (base >>> 6) + 1;
        if (needed <= words.length) {
            return;
        }
        var grown = new long[Math.toIntExact(Long.highestOneBit(needed - 1) << 1)];
        for (long word = base >>> 6; word < (base >>> 6) + words.length; word++) {
            grown[(int) word & grown.length - 1] = words[(int) word & mask];
        }
        words = grown;
        mask = grown.length - 1;
    }

    /** The bits of a word that lie in the range. */
    private static long bitsOf(long word, long from, long to) {
        long low = word == from >>> 6 ? -1L << from : -1L;
        return word == to - 1 >>> 6 ? low & -1L >>> -to : low;
    }
}
