package io.spillway.client.core;

import io.spillway.protocol.Code;

/**
 * Delays before retries: capped exponential with full jitter (Brooker, "Exponential Backoff and Jitter"), never sooner than
 * the peer asked for. Integers only; driven by vectors/backoff.json.
 *
 * @param baseMs first delay of a transient failure, ms
 * @param throttleBaseMs first delay after a throttle, ms
 * @param capMs longest delay, ms
 * @param retryAfterSlackMs how much longer than its own delay a client lets a peer hold it back, ms
 * @param minAttemptMs an attempt is not begun with less time left, ms
 */
public record Backoff(long baseMs, long throttleBaseMs, long capMs, long retryAfterSlackMs, long minAttemptMs) {
    /** For requests. */
    public static final Backoff REQUESTS = new Backoff(50, 1_000, 5_000, 5_000, 50);
    /** For connections. */
    public static final Backoff CONNECTS = new Backoff(100, 1_000, 10_000, 5_000, 50);

    /** Largest r. */
    public static final int MAX_R = Scaled.MAX_R;
    /** What {@link #delayMs(Code.Backoff, int, int, long, long)} answers when there is no time for another attempt. */
    public static final long NO_TIME = -1;

    private static final int MAX_SHIFT = 40;

    /** A random share of a maximum. */
    public static long scaled(long maxMs, int r) {
        return Scaled.of(maxMs, r);
    }

    /**
     * Delay before a retry in ms, or {@link #NO_TIME}.
     *
     * @param retryNo 1 = the first retry
     * @param r random, 0 to 65,535
     * @param retryAfterMs what the peer asked for, 0 = nothing
     * @param remainingMs until the caller's deadline
     */
    public long delayMs(Code.Backoff kind, int retryNo, int r, long retryAfterMs, long remainingMs) {
        long delay = delayMs(kind, retryNo, r, retryAfterMs);
        return delay + minAttemptMs > remainingMs ? NO_TIME : delay;
    }

    /** Delay before a retry in ms, whatever the deadline. */
    public long delayMs(Code.Backoff kind, int retryNo, int r, long retryAfterMs) {
        long base = kind == Code.Backoff.THROTTLE ? throttleBaseMs : baseMs;
        long top = Math.min(capMs, base << Math.min(retryNo - 1, MAX_SHIFT));
        return atLeast(Scaled.of(top, r), retryAfterMs);
    }

    /** A delay made no shorter than the peer asked for, within the slack. */
    public long atLeast(long delayMs, long retryAfterMs) {
        return Math.max(delayMs, Math.min(retryAfterMs, delayMs + retryAfterSlackMs));
    }
}
