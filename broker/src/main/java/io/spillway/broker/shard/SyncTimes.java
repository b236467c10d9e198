package io.spillway.broker.shard;

import java.util.Arrays;

/** How long the syncs of the last ten seconds took, the newest of them. Confined to the shard thread. */
final class SyncTimes {
    private static final int KEPT = 128;
    private static final long KEPT_MS = 10_000;
    private static final int SLOWEST = 100;

    private final int[] tookMs = new int[KEPT];
    private final long[] endedMs = new long[KEPT];
    private final int[] sorted = new int[KEPT];
    private int next;

    SyncTimes() {
        Arrays.fill(endedMs, Long.MIN_VALUE / 2);
    }

    void add(long ns, long nowMs) {
        tookMs[next] = (int) Math.min(Integer.MAX_VALUE, ns / 1_000_000);
        endedMs[next] = nowMs;
        next = (next + 1) % KEPT;
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
        int have = 0;
        for (int i = 0; i < KEPT; i++) {
            if (nowMs - endedMs[i] <= KEPT_MS) {
                sorted[have++] = tookMs[i];
            }
        }
        Arrays.sort(sorted, 0, have);
        return have;
    }
}
