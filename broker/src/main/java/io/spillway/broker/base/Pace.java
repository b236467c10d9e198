package io.spillway.broker.base;

/** A token bucket: so much a second, with a burst of a tenth of that. Not thread-safe. */
public final class Pace {
    private static final double BURST_SECONDS = 0.1;

    private final double perMs;
    private final double most;
    private double tokens;
    private long lastMs = Long.MIN_VALUE;

    /** @param perSecond 0 = no bound */
    public Pace(long perSecond) {
        perMs = perSecond / 1000.0;
        most = Math.max(1, perSecond * BURST_SECONDS);
        tokens = most;
    }

    /** How much there may be now, at most {@code wanted}. */
    public long available(long wanted, long nowMs) {
        if (perMs == 0) {
            return wanted;
        }
        if (lastMs != Long.MIN_VALUE) {
            tokens = Math.min(most, tokens + Math.max(0, nowMs - lastMs) * perMs);
        }
        lastMs = nowMs;
        return Math.min(wanted, (long) Math.max(0, tokens));
    }

    /** Takes it, if need be on credit. */
    public void take(long amount) {
        tokens -= perMs == 0 ? 0 : amount;
    }
}
