package io.spillway.broker.flow;

/**
 * How many bytes may be on their way so that what arrives waits no longer than a target: a little more while it waits for
 * less, less in proportion to the excess while it waits for longer (additive increase, multiplicative decrease as in
 * Breakwater, Cho et al., OSDI 2020). What waited already when credit was taken says nothing of what that did: until it is
 * gone no more is taken, or a queue once long would end as one that is empty. Nothing is held back at the ceiling. Not
 * thread-safe.
 */
public final class CreditControl {
    /** The interval of {@link #tick}, in ms. */
    public static final int TICK_MS = 10;

    private static final double DECREASE = 0.1;
    private static final double MOST_AT_ONCE = 0.5;
    private static final int INCREASE_PART = 100;
    /** While the wait is less than a quarter of the target. */
    private static final int FAST_INCREASE_PART = 20;

    private static final int FAR = 4;

    private final long ceilingBytes;
    private long bytes;
    private boolean wasDecreased;
    private long decreasedUntilNs;

    public CreditControl(long ceilingBytes) {
        this.ceilingBytes = ceilingBytes;
        bytes = ceilingBytes;
    }

    /**
     * An interval is over.
     *
     * @param delayNs the longest that something waited in it, or waits still
     * @param floorBytes what is left in any case: a batch for each that sends
     */
    public void tick(long delayNs, long targetNs, long floorBytes, long nowNs) {
        if (delayNs < targetNs) {
            bytes += Math.max(1, bytes / (delayNs < targetNs / FAR ? FAST_INCREASE_PART : INCREASE_PART));
            wasDecreased = false;
        } else if (!wasDecreased || nowNs - decreasedUntilNs >= 0) {
            double excess = (double) (delayNs - targetNs) / targetNs;
            bytes = (long) (bytes * Math.max(1 - DECREASE * excess, MOST_AT_ONCE));
            wasDecreased = true;
            decreasedUntilNs = nowNs + delayNs;
        }
        bytes = Math.min(ceilingBytes, Math.max(floorBytes, bytes));
    }

    public long bytes() {
        return bytes;
    }

    /** Whether nothing is held back. */
    public boolean isFull() {
        return bytes == ceilingBytes;
    }
}
