package io.spillway.broker.subscription;

/**
 * A bit per offset from a moving base: a ring of words that grows by doubling to what is marked and never beyond. Confined
 * to the shard thread.
 */
final class OffsetBits {
    private long[] words = new long[8];
    private long base;
    private long end;
    private long count;

    /** Forgets all; offsets from here on can be marked. */
    void reset(long newBase) {
        words = new long[8];
        base = newBase;
        end = newBase;
        count = 0;
    }

    /** Marked offsets. */
    long count() {
        return count;
    }

    /** End of the highest marked range. */
    long end() {
        return end;
    }

    void set(long from, long to) {
        while (to - (base & ~63L) > words.length * 64L) {
            grow();
        }
        long at = from;
        while (at < to) {
            int word = word(at);
            long wordEnd = Math.min(to, (at & ~63L) + 64);
            long mask = mask(at, wordEnd);
            count += Long.bitCount(mask & ~words[word]);
            words[word] |= mask;
            at = wordEnd;
        }
        end = Math.max(end, to);
    }

    private void grow() {
        long[] old = words;
        int oldMask = old.length - 1;
        words = new long[old.length * 2];
        for (long at = base & ~63L; at < end; at += 64) {
            words[word(at)] = old[(int) (at >>> 6) & oldMask];
        }
    }

    private int word(long offset) {
        return (int) (offset >>> 6) & (words.length - 1);
    }

    private static long mask(long from, long to) {
        long low = -1L << (from & 63);
        long bits = to - (from & ~63L);
        return bits == 64 ? low : low & ((1L << bits) - 1);
    }

    /** First offset from here on that is not marked. */
    long nextClear(long from) {
        long at = from;
        while (at < end) {
            long open = ~words[word(at)] & (-1L << (at & 63));
            if (open != 0) {
                return Math.min(end, (at & ~63L) + Long.numberOfTrailingZeros(open));
            }
            at = (at & ~63L) + 64;
        }
        return Math.max(from, end);
    }

    /** First marked offset from here on, or {@code limit}. */
    long nextSet(long from, long limit) {
        long at = Math.max(from, base);
        long stop = Math.min(limit, end);
        while (at < stop) {
            long marked = words[word(at)] & (-1L << (at & 63));
            if (marked != 0) {
                return Math.min(limit, (at & ~63L) + Long.numberOfTrailingZeros(marked));
            }
            at = (at & ~63L) + 64;
        }
        return limit;
    }

    /** Moves the base forward; what was marked below is forgotten. */
    void advance(long newBase) {
        long at = base;
        long stop = Math.min(newBase, end);
        while (at < stop) {
            long wordEnd = Math.min(stop, (at & ~63L) + 64);
            int word = word(at);
            long mask = mask(at, wordEnd);
            count -= Long.bitCount(words[word] & mask);
            words[word] &= ~mask;
            at = wordEnd;
        }
        base = newBase;
        end = Math.max(end, newBase);
    }
}
