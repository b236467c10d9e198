package io.spillway.broker.shard;

import java.util.Arrays;

/** How long the newest syncs took. Confined to the shard thread. */
final class SyncTimes {
    private static final int KEPT = 128;
    /** After so long without a sync the old ones say nothing any more. */
    private static final long KEPT_MS = 10_000;

    private static final int SLOWEST = 100;

    private final int[] tookMs = new int[KEPT];
    private final int[] sorted = new int[KEPT];
    private int count;
    private long newestMs;

    void add(long ns, long nowMs) {
        if (nowMs - newestMs > KEPT_MS) {
            count = 0;
        }
        tookMs[count++ % KEPT] = (int) Math.min(Integer.MAX_VALUE, ns / 1_000_000);
        newestMs = nowMs;
        if (count == 2 * KEPT) {
            count = KEPT;
        }
    }

    /** What one in a hundred takes at least; with few, the slowest but one. */
    int p99Ms(long nowMs) {
        int have = sort(nowMs);
        return have < 2 ? 0 : sorted[have - 1 - Math.max(1, have / SLOWEST)];
    }

    /** What half of them take at most. */
    int p50Ms(long nowMs) {
        int have = sort(nowMs);
        return have < 2 ? 0 : sorted[have / 2];
    }

    private int sort(long nowMs) {
        if (nowMs - newestMs > KEPT_MS) {
            return 0;
        }
        int have = Math.min(count, KEPT);
        System.arraycopy(tookMs, 0, sorted, 0, have);
        Arrays.sort(sorted, 0, have);
        return have;
    }
}
