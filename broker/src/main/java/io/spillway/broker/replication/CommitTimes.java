package io.spillway.broker.replication;

/**
 * When which entries were agreed on, as far as this node has seen it: what lags is told for how long. The longer ago, the
 * coarser: when there is no room every second sight is forgotten. Thread-safe.
 */
final class CommitTimes {
    private static final int CAPACITY = 512;

    private final long[] indexes = new long[CAPACITY];
    private final long[] timesMs = new long[CAPACITY];
    private int size;

    /** The cluster has agreed up to this entry. */
    synchronized void note(long commit, long nowMs) {
        if (size > 0 && commit <= indexes[size - 1]) {
            return;
        }
        if (size == CAPACITY) {
            size /= 2;
            for (int i = 0; i < size; i++) {
                indexes[i] = indexes[2 * i];
                timesMs[i] = timesMs[2 * i];
            }
        }
        indexes[size] = commit;
        timesMs[size++] = nowMs;
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
