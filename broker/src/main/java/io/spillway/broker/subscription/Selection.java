package io.spillway.broker.subscription;

import io.spillway.protocol.Limits;
import java.util.Arrays;

/**
 * Some records of one stored batch, named by their index in it. Reused by the caller from batch to batch.
 *
 * <p>Confined to the shard thread.
 */
public final class Selection {
    /** Records a batch has at most. */
    public static final int MAX_RECORDS = Limits.MAX_BATCH_RECORDS;

    private final long[] words = new long[MAX_RECORDS >> 6];
    private long baseOffset;
    private int records;
    private int count;

    /** Begins anew with nothing selected of a batch. */
    public void reset(long newBaseOffset, int newRecords) {
        Arrays.fill(words, 0, records + 63 >> 6, 0);
        baseOffset = newBaseOffset;
        records = newRecords;
        count = 0;
    }

    public void add(int index) {
        long bit = 1L << index;
        count += (words[index >> 6] & bit) == 0 ? 1 : 0;
        words[index >> 6] |= bit;
    }

    /** Adds the indexes [from, to). */
    public void add(int from, int to) {
        for (int at = from; at < to; at = (at | 63) + 1) {
            long bits = -1L << at;
            if (to - 1 >> 6 == at >> 6) {
                bits &= -1L >>> -to;
            }
            count += Long.bitCount(bits & ~words[at >> 6]);
            words[at >> 6] |= bits;
        }
    }

    public void remove(int index) {
        long bit = 1L << index;
        count -= (words[index >> 6] & bit) == 0 ? 0 : 1;
        words[index >> 6] &= ~bit;
    }

    public boolean has(int index) {
        return (words[index >> 6] & 1L << index) != 0;
    }

    /** How many are selected. */
    public int count() {
        return count;
    }

    public long baseOffset() {
        return baseOffset;
    }

    /** Records of the batch, selected or not. */
    public int records() {
        return records;
    }

    /** The first selected index from here on, or {@link #records}. */
    public int next(int index) {
        return scan(index, 0);
    }

    /** The first index from here on that is not selected, or {@link #records}. */
    public int nextGap(int index) {
        return scan(index, -1L);
    }

    private int scan(int index, long flip) {
        if (index >= records) {
            return records;
        }
        int word = index >> 6;
        long bits = (words[word] ^ flip) & -1L << index;
        while (bits == 0) {
            if (++word << 6 >= records) {
                return records;
            }
            bits = words[word] ^ flip;
        }
        return Math.min(records, (word << 6) + Long.numberOfTrailingZeros(bits));
    }

    /** Visits the selected ranges as offsets. */
    public void forEach(SubscriptionState.RangeVisitor visitor) {
        for (int from = next(0); from < records; ) {
            int to = nextGap(from);
            visitor.onRange(baseOffset + from, baseOffset + to);
            from = next(to);
        }
    }

    /** The first selected offset; there must be one. */
    public long from() {
        return baseOffset + next(0);
    }

    /** The offset after the last selected one; there must be one. */
    public long to() {
        int word = records - 1 >> 6;
        while (words[word] == 0) {
            word--;
        }
        return baseOffset + (word << 6) + 64 - Long.numberOfLeadingZeros(words[word]);
    }

    /** As the wire has it: record i is bit i%8 of byte i/8. */
    public byte[] bitmap() {
        byte[] bits = new byte[records + 7 >> 3];
        for (int i = 0; i < bits.length; i++) {
            bits[i] = (byte) (words[i >> 3] >>> ((i & 7) << 3));
        }
        return bits;
    }
}
