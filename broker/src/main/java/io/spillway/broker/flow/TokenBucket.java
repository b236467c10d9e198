package io.spillway.broker.flow;

/**
 * A rate that may be overdrawn: what is charged beyond the burst is debt, and the debt says how long to wait. Charging after
 * the work was taken, and never refusing it, is what keeps large batches from being starved by small ones.
 *
 * <p>The state is one number, kept by the caller: the time at which the bucket holds nothing and owes nothing (the theoretical
 * arrival time of ITU-T I.371's generic cell rate algorithm). It fits an atomic, so that one bucket can serve many threads.
 *
 * @param perSecond units that come in a second, 1 to 2^40
 * @param burst units that may be used at once after a pause, 1 to 2^40
 * @param maxWaitMs the longest wait that is asked for
 */
public record TokenBucket(long perSecond, long burst, int maxWaitMs) {
    private static final long MAX = 1L << 40;
    private static final long SECOND_NS = 1_000_000_000;
    private static final long MS_NS = 1_000_000;

    public TokenBucket {
        check(perSecond >= 1 && perSecond <= MAX, "a rate", perSecond);
        check(burst >= 1 && burst <= MAX, "a burst", burst);
        check(maxWaitMs >= 0, "a wait", maxWaitMs);
    }

    private static void check(boolean isRight, String what, long value) {
        if (!isRight) {
            throw new IllegalArgumentException(what + " of " + value);
        }
    }

    /** The state of a full bucket. */
    public long full(long nowNs) {
        return nowNs - ns(burst);
    }

    /** The state after so many units, at most 2^40, were used. */
    public long charge(long state, long nowNs, long units) {
        long full = full(nowNs);
        return (state - full < 0 ? full : state) + ns(units);
    }

    /** How long to wait until nothing is owed, in ms, rounded up. */
    public int waitMs(long state, long nowNs) {
        long debtNs = state - nowNs;
        return debtNs <= 0 ? 0 : (int) Math.min(maxWaitMs, (debtNs + MS_NS - 1) / MS_NS);
    }

    /** Units there are, negative when some are owed. */
    public long available(long state, long nowNs) {
        long ns = Math.min(nowNs - state, ns(burst));
        return Math.multiplyHigh(ns, perSecond) == ns >> 63
                ? Math.floorDiv(ns * perSecond, SECOND_NS)
                : Math.floorDiv(ns, SECOND_NS) * perSecond;
    }

    private long ns(long units) {
        // In two steps: 2^40 units of nanoseconds are more than a long holds.
        return units / perSecond * SECOND_NS + units % perSecond * SECOND_NS / perSecond;
    }
}
