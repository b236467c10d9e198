package io.spillway.broker.replay;

import org.agrona.collections.LongHashSet;

/**
 * How many different ones there are, by their 64-bit hashes: exact up to a bound, then an estimate with a standard error
 * of 1.6 % (HyperLogLog with 4,096 registers; Flajolet et al., 2007). Not thread-safe.
 */
final class DistinctCount {
    private static final int INDEX_BITS = 12;
    private static final int REGISTERS = 1 << INDEX_BITS;
    private static final double ALPHA = 0.7213 / (1 + 1.079 / REGISTERS);

    private final int exactUpTo;
    private final LongHashSet exact = new LongHashSet();
    private final byte[] registers = new byte[REGISTERS];
    private boolean isExact = true;

    DistinctCount(int exactUpTo) {
        this.exactUpTo = exactUpTo;
    }

    /** False when it was there already; only while the count is exact. */
    boolean add(long hash) {
        long mixed = Sample.mix(hash);
        int index = (int) (mixed >>> 64 - INDEX_BITS);
        byte rank = (byte) (Long.numberOfLeadingZeros(mixed << INDEX_BITS | 1L << INDEX_BITS - 1) + 1);
        if (rank > registers[index]) {
            registers[index] = rank;
        }
        if (!isExact) {
            return true;
        }
        boolean isNew = exact.add(hash);
        if (exact.size() > exactUpTo) {
            isExact = false;
            exact.clear();
            exact.compact();
        }
        return isNew;
    }

    boolean isExact() {
        return isExact;
    }

    long count() {
        return isExact ? exact.size() : estimate();
    }

    private long estimate() {
        double sum = 0;
        for (byte register : registers) {
            sum += Math.pow(2, -register);
        }
        return Math.round(ALPHA * REGISTERS * REGISTERS / sum);
    }
}
