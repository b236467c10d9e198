package io.spillway.broker.dispatch;

/** The arithmetic of member weights, in integers: the suites vectors/weight.json and vectors/slow_start.json. */
public final class Weights {
    /** The weight of a member that is as good as the mean of its group. */
    public static final int NORMAL = 1_000;

    /** How long a member takes to get its whole share. */
    static final long SLOW_START_MS = 30_000;

    private static final int LEAST_START_PM = 100;
    private static final int LEAST_UTIL_PM = 50;
    private static final int SPREAD = 10;

    private Weights() {}

    /**
     * What a member does with all it has: {@code rps / (utilisation + eps / rps * penalty)}, as gRFC A58 weighs backends
     * by their ORCA reports; 0 = unknown.
     */
    public static long ofLoad(long rpsMilli, int utilPm, long epsMilli, int penaltyPm) {
        long util = utilPm;
        if (utilPm > 0 && rpsMilli > 0) {
            util += epsMilli * penaltyPm / rpsMilli;
        }
        return util <= 0 ? 0 : rpsMilli * 1_000 / util;
    }

    /**
     * The same of a report. Below 5 % the utilisation says nothing but that the member idles, so what it could do is unknown:
     * with a floor who gets less would count as one that can do less.
     */
    static long of(HealthReport report) {
        return report.utilPm() < LEAST_UTIL_PM
                ? 0
                : ofLoad(report.rpsMilli(), report.utilPm(), report.epsMilli(), 1_000);
    }

    /** The new reading counts three tenths. */
    static long smoothed(long before, long now) {
        return before == 0 ? now : before + (now - before) * 3 / 10;
    }

    /** The share of its weight, in per mille, that a member has this long after it began. */
    public static int slowStartPm(long ageMs) {
        return ageMs >= SLOW_START_MS
                ? 1_000
                : (int) Math.max(LEAST_START_PM, Math.max(ageMs, 1_000) * 1_000 / SLOW_START_MS);
    }

    /** A load against the mean of the group, within a tenth and ten times of {@link #NORMAL}. */
    static long relative(long load, long mean) {
        if (load == 0 || mean == 0) {
            return NORMAL;
        }
        return Math.min(NORMAL * SPREAD, Math.max(NORMAL / SPREAD, load * NORMAL / mean));
    }
}
