package io.spillway.broker.replication;

/**
 * When which entries were agreed on, as far as this node has seen it: what lags is told for how long. The longer ago, the
 * coarser: when there is no room, sights are forgotten that lie closer to the one before than a part of their age, so that the
 * room is enough for years and a lag is told too short by a seventh at most. Thread-safe.
 */
final class CommitTimes {
    private static final int CAPACITY = 1024;
    private static final int PART_OF_AGE = 32;

    private final long[] indexes = new long[CAPACITY];
    private final long[] timesMs = new long[CAPACITY];
    private int size;

    /** The cluster has agreed up to this entry. */
    synchronized void note(long commit, long nowMs) {
        if (size > 0 && commit <= indexes[size - 1]) {
            return;
        }
        if (size == CAPACITY) {
            forget(nowMs);
        }
        indexes[size] = commit;
        timesMs[size++] = nowMs;
    }

    private void forget(long nowMs) {
        int kept = 1;
        for (int i = 1; i < size; i++) {
            if (timesMs[i] - timesMs[kept - 1] > (nowMs - timesMs[i]) / PART_OF_AGE) {
                indexes[kept] = indexes[i];
                timesMs[kept++] = timesMs[i];
            }
        }
        // Sights of hundreds of years, or a clock that jumped.
        size = Math.min(kept, CAPACITY - 1);
    }

    /** For how long something was agreed on that is behind this entry; 0 = nothing is. */
    synchronized long lagMs(long held, long nowMs) {
        if (size == 0 || held >= indexes[size - 1]) {
            return 0;
        }
        int low = 0;
        int high = size - 1;
        while (low < high) {
            int middle = (low + high) >>> 1;
            if (indexes[middle] > held) {
                high = middle;
            } else {
                low = middle + 1;
            }
        }
        return Math.max(0, nowMs - timesMs[low]);
    }
}
