package io.spillway.client;

import java.util.Arrays;

/**
 * How late the client's last ticks were, over so many that the 99th percentile is not the worst one: on a busy machine one late
 * tick in each of two seconds says nothing of the client. Confined to the network thread.
 */
final class Lateness {
    /** Ticks of 5 s. */
    static final int LAST = 250;

    private final int[] us = new int[LAST];
    private int next;
    private int size;

    void add(long lateUs) {
        us[next] = (int) Math.max(0, Math.min(Integer.MAX_VALUE, lateUs));
        next = (next + 1) % LAST;
        size = Math.min(LAST, size + 1);
    }

    int p99Us() {
        int[] sorted = Arrays.copyOf(us, size);
        Arrays.sort(sorted);
        return size == 0 ? 0 : sorted[(size * 99 + 99) / 100 - 1];
    }
}
