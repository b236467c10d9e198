package io.spillway.client.net;

public final class Backoff {
    private Backoff() {}

    public static long scaled(long max, int r) {
        return max * r / 65_535;
    }

    public static long reconnectDelayMs(int n, int r) {
        return scaled(Math.min(10_000, 100L << Math.min(n - 1, 10)), r);
    }

    public static long delayMs(boolean throttle, int n, int r) {
        return scaled(Math.min(5_000, (throttle ? 1000L : 50L) << Math.min(n - 1, 10)), r);
    }

    public static long withRetryAfter(long delay, long retryAfter) {
        return Math.max(delay, Math.min(retryAfter, delay + 5_000));
    }
}
