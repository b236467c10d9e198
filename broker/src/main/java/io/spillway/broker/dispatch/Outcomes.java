package io.spillway.broker.dispatch;

/**
 * How the records of one member end, and whether it is ejected for it. Numbers are those of Envoy's outlier detection. An
 * ejected member comes back one record at a time, and wholly after three that it accepts.
 *
 * <p>Confined to the shard thread.
 */
public final class Outcomes {
    static final int EXPIRIES_IN_A_ROW = 3;
    private static final int CREDIBLE = 5;
    private static final int MIN_OUTCOMES = 20;
    private static final int WORST_PM = 500;
    private static final int PROBES = 3;
    private static final long BASE_MS = 10_000;
    private static final int MOST_TIMES = 30;

    /** Whether it gets records. */
    private enum Standing {
        IN,
        OUT,
        PROBING
    }

    private long accepted;
    private long failed;
    /** Records that failed since it accepted one. */
    private int failedInARow;

    private int expiriesInARow;
    /** Fence of the lease that ran out last; 0 = none did. */
    private long lastExpired;

    private int probesAccepted;
    private int times;
    private long outUntilMs;
    private boolean failedProbe;
    private String why = "";
    private Standing standing = Standing.IN;

    /** Records it acknowledged. */
    public void accepted(int records) {
        accepted += records;
        failedInARow = 0;
        expiriesInARow = 0;
        if (standing == Standing.PROBING) {
            probesAccepted++;
        }
    }

    /**
     * Records failed with it.
     *
     * @param first whether nobody had them before, so that it is rather the member than the records
     */
    public void failed(int records, boolean first) {
        failed += records;
        failedInARow += records;
        failedProbe |= standing == Standing.PROBING && first;
    }

    /** Some or all of a lease ran out; one lease counts once. */
    public void expired(long fence) {
        expiriesInARow += fence == lastExpired ? 0 : 1;
        lastExpired = fence;
    }

    /** Records that failed with it were poison, so that it is not to blame. */
    public void pardoned(int records) {
        failed = Math.max(0, failed - records);
        expiriesInARow = Math.max(0, expiriesInARow - 1);
    }

    /** Whether what fails with it says something of the record: it has not failed with many others just before. */
    public boolean isCredible() {
        return standing == Standing.IN && failedInARow <= CREDIBLE;
    }

    public boolean isOut() {
        return standing == Standing.OUT;
    }

    /** Whether it gets one record at a time, to see how that ends. */
    public boolean isProbing() {
        return standing == Standing.PROBING;
    }

    /** Until when it gets nothing. */
    public long outUntilMs() {
        return outUntilMs;
    }

    /** Why it should be ejected; empty when it should not. */
    String fault(boolean intervalEnds) {
        if (standing == Standing.PROBING) {
            return failedProbe ? "a record on probation failed" : "";
        }
        if (expiriesInARow >= EXPIRIES_IN_A_ROW) {
            return expiriesInARow + " leases in a row ran out";
        }
        long all = accepted + failed;
        boolean fails = intervalEnds && all >= MIN_OUTCOMES && failed * 1_000 >= all * WORST_PM;
        return fails ? failed + " of " + all + " records failed" : "";
    }

    /** Successes in per mille, for the comparison with others; -1 when there are too few outcomes. */
    long successPm(int atLeast) {
        long all = accepted + failed;
        return all < atLeast ? -1 : accepted * 1_000 / all;
    }

    /** An interval ends: counts begin anew, and one without ejection takes one off the times. */
    void intervalEnded() {
        accepted = 0;
        failed = 0;
        if (standing == Standing.IN && times > 0) {
            times--;
        }
    }

    /** Why it was ejected last; empty when it never was. */
    public String why() {
        return why;
    }

    void eject(String fault, long nowMs) {
        why = fault;
        times = Math.min(MOST_TIMES, times + 1);
        standing = Standing.OUT;
        outUntilMs = nowMs + BASE_MS * times;
        forget();
    }

    /** Lets it try when its time is over; whether that is so now. */
    boolean probe(long nowMs) {
        if (standing != Standing.OUT || nowMs < outUntilMs) {
            return false;
        }
        standing = Standing.PROBING;
        forget();
        return true;
    }

    /** Takes it back when it did well on probation; whether that is so now. */
    boolean readmit() {
        if (standing != Standing.PROBING || probesAccepted < PROBES) {
            return false;
        }
        standing = Standing.IN;
        forget();
        return true;
    }

    private void forget() {
        accepted = 0;
        failed = 0;
        failedInARow = 0;
        expiriesInARow = 0;
        probesAccepted = 0;
        failedProbe = false;
    }
}
