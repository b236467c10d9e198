package io.spillway.client.core;

import io.spillway.protocol.Code;
import java.util.Arrays;

/**
 * Circuit breaker of one endpoint (Nygard, "Release It!"): opens on connection failures in a row, or on the share of failed
 * or slow calls in a sliding window; probes after a jittered time that doubles. Driven by vectors/breaker.json. Not
 * thread-safe.
 */
public final class Breaker {
    /** Where the breaker is. */
    public enum State {
        /** Calls go through and are counted. */
        CLOSED,
        /** No call goes through until the open time is over. */
        OPEN,
        /** A few probes go through. */
        HALF_OPEN
    }

    private static final int BUCKETS = 10;
    private static final long BUCKET_MS = 1_000;
    private static final int MIN_CALLS = 20;
    private static final int FAILURE_PERCENT = 50;
    private static final int SLOW_PERCENT = 80;
    private static final long SLOW_MS = 2_000;
    private static final int CONNECT_FAILURES = 5;
    private static final long OPEN_BASE_MS = 5_000;
    private static final long OPEN_CAP_MS = 60_000;
    private static final int PROBES = 3;
    private static final int PROBE_SUCCESSES = 3;
    private static final long RESET_AFTER_CLOSED_MS = 60_000;
    private static final int MAX_SHIFT = 20;

    private final long[] bucketNumbers = new long[BUCKETS];
    private final int[] calls = new int[BUCKETS];
    private final int[] failed = new int[BUCKETS];
    private final int[] slow = new int[BUCKETS];
    private State state = State.CLOSED;
    private int connectFailures;
    private int timesOpened;
    private long openUntilMs;
    private int probesLeft;
    private int probeSuccesses;
    private long closedAtMs;

    public Breaker() {
        forgetCalls();
    }

    public State state() {
        return state;
    }

    /** When an open breaker lets the next probe through. */
    public long openUntilMs() {
        return openUntilMs;
    }

    /** Whether it is open at this time; changes nothing. */
    public boolean isOpen(long nowMs) {
        return state == State.OPEN && nowMs < openUntilMs;
    }

    /** Whether a call may go; in half-open it takes one of the probes. */
    public boolean allow(long nowMs) {
        if (state == State.OPEN && nowMs >= openUntilMs) {
            state = State.HALF_OPEN;
            probesLeft = PROBES;
            probeSuccesses = 0;
        }
        return switch (state) {
            case CLOSED -> true;
            case OPEN -> false;
            case HALF_OPEN -> probesLeft-- > 0 || outOfProbes();
        };
    }

    private boolean outOfProbes() {
        probesLeft = 0;
        return false;
    }

    public void onSuccess(long nowMs, long latencyMs) {
        count(nowMs, false, false, latencyMs, 0);
    }

    /**
     * A call ended with an error.
     *
     * @param outcome as the error registry says; IGNORE counts nowhere and gives a probe back
     * @param r random, 0 to 65,535
     */
    public void onFailure(long nowMs, Code.Breaker outcome, long latencyMs, int r) {
        if (outcome != Code.Breaker.IGNORE) {
            count(nowMs, true, outcome == Code.Breaker.CONN_FAIL, latencyMs, r);
        } else if (state == State.HALF_OPEN) {
            probesLeft++;
        }
    }

    private void count(long nowMs, boolean isFailure, boolean isConnectFailure, long latencyMs, int r) {
        switch (state) {
            case OPEN -> {}
            case HALF_OPEN -> {
                if (isFailure) {
                    open(nowMs, r);
                } else if (++probeSuccesses >= PROBE_SUCCESSES) {
                    state = State.CLOSED;
                    closedAtMs = nowMs;
                    connectFailures = 0;
                    forgetCalls();
                }
            }
            case CLOSED -> {
                if (timesOpened > 0 && nowMs - closedAtMs >= RESET_AFTER_CLOSED_MS) {
                    timesOpened = 0;
                }
                int bucket = bucket(nowMs);
                calls[bucket]++;
                failed[bucket] += isFailure ? 1 : 0;
                slow[bucket] += latencyMs >= SLOW_MS ? 1 : 0;
                connectFailures = isConnectFailure ? connectFailures + 1 : 0;
                if (mustOpen(nowMs)) {
                    open(nowMs, r);
                }
            }
        }
    }

    private int bucket(long nowMs) {
        long number = nowMs / BUCKET_MS;
        int bucket = (int) (number % BUCKETS);
        if (bucketNumbers[bucket] != number) {
            bucketNumbers[bucket] = number;
            calls[bucket] = 0;
            failed[bucket] = 0;
            slow[bucket] = 0;
        }
        return bucket;
    }

    private boolean mustOpen(long nowMs) {
        long oldest = nowMs / BUCKET_MS - BUCKETS;
        int total = 0;
        int bad = 0;
        int late = 0;
        for (int i = 0; i < BUCKETS; i++) {
            if (bucketNumbers[i] > oldest) {
                total += calls[i];
                bad += failed[i];
                late += slow[i];
            }
        }
        return connectFailures >= CONNECT_FAILURES
                || (total >= MIN_CALLS && (bad * 100 >= FAILURE_PERCENT * total || late * 100 >= SLOW_PERCENT * total));
    }

    private void open(long nowMs, int r) {
        timesOpened++;
        long openMs = Math.min(OPEN_CAP_MS, OPEN_BASE_MS << Math.min(timesOpened - 1, MAX_SHIFT));
        long half = openMs / 2;
        openUntilMs = nowMs + half + Scaled.of(openMs - half, r);
        state = State.OPEN;
        connectFailures = 0;
        forgetCalls();
    }

    private void forgetCalls() {
        Arrays.fill(bucketNumbers, Long.MIN_VALUE);
        Arrays.fill(calls, 0);
        Arrays.fill(failed, 0);
        Arrays.fill(slow, 0);
    }
}
