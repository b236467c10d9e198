package io.spillway.broker.subscription;

import java.util.Arrays;

/**
 * One bit for each offset of a window that slides upward: a ring of words indexed by the offset itself. Bits that leave
 * the window must be cleared first, so that the word they lived in is clean for the offset that comes next.
 *
 * <p>Ranges are half open. Every range must lie in the window the ring was last {@linkplain #cover grown} for.
 *
 * <p>Confined to the shard thread.
 */
final class OffsetBits {
    private long[] words;
    private int mask;

    /** Covers offsets [from, to). */
    OffsetBits(long from, long to) {
        words = new long[capacityFor(from, to)];
        mask = words.length - 1;
    }

    /** Grows the ring so that [from, to) fits; bits below {@code from} must be clear. */
    void cover(long from, long to) {
        int capacity = words.length;
        if ((to - 1 >>> 6) - (from >>> 6) < capacity) {
            return;
        }
        var grown = new long[capacityFor(from, to)];
        for (long word = from >>> 6; word < (from >>> 6) + capacity; word++) {
            grown[(int) word & grown.length - 1] = words[(int) word & mask];
        }
        words = grown;
        mask = grown.length - 1;
    }

    boolean get(long offset) {
        return (words[(int) (offset >>> 6) & mask] & 1L << offset) != 0;
    }

    /** Sets the bits; returns how many were clear. */
    int set(long from, long to) {
        int changed = 0;
        for (long word = from >>> 6; word <= to - 1 >>> 6; word++) {
            long bits = bitsOf(word, from, to);
            int at = (int) word & mask;
            changed += Long.bitCount(bits & ~words[at]);
            words[at] |= bits;
        }
        return changed;
    }

    /** Clears the bits; returns how many were set. */
    int clear(long from, long to) {
        int changed = 0;
        for (long word = from >>> 6; word <= to - 1 >>> 6; word++) {
            long bits = bitsOf(word, from, to);
            int at = (int) word & mask;
            changed += Long.bitCount(bits & words[at]);
            words[at] &= ~bits;
        }
        return changed;
    }

    void clearAll() {
        Arrays.fill(words, 0);
    }

    /** First set bit in [from, to), or {@code to}. */
    long nextSet(long from, long to) {
        return next(from, to, 0);
    }

    /** First clear bit in [from, to), or {@code to}. */
    long nextClear(long from, long to) {
        return next(from, to, -1);
    }

    private long next(long from, long to, long flip) {
        if (from >= to) {
            return to;
        }
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

    long memoryBytes() {
        return (long) words.length * Long.BYTES;
    }

    private static long bitsOf(long word, long from, long to) {
        long bits = -1L;
        if (word == from >>> 6) {
            bits = -1L << from;
        }
        if (word == to - 1 >>> 6) {
            bits &= -1L >>> -to;
        }
        return bits;
    }

    private static int capacityFor(long from, long to) {
        long needed = (to - 1 >>> 6) - (from >>> 6) + 1;
        return needed <= 1 ? 1 : Math.toIntExact(Long.highestOneBit(needed - 1) << 1);
    }
}
