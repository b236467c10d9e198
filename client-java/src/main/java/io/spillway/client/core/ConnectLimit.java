package io.spillway.client.core;

/**
 * Spreads the attempts to connect again of a whole process, so that its clients do not storm a broker that has just come
 * back: a token bucket of 20 that gets 10 a second, kept as the time at which it would be full (GCRA). Not thread-safe.
 */
public final class ConnectLimit {
    static final int BURST = 20;
    private static final long INTERVAL_MS = 100;

    private long fullAtMs;

    /** Takes a token; how long the attempt that it stands for has to wait. The time is from 0 on. */
    public long take(long nowMs) {
        long waitMs = Math.max(0, fullAtMs - nowMs - (BURST - 1) * INTERVAL_MS);
        fullAtMs = Math.max(fullAtMs, nowMs) + INTERVAL_MS;
        return waitMs;
    }
}
