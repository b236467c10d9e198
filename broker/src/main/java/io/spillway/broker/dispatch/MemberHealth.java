package io.spillway.broker.dispatch;

import org.jspecify.annotations.Nullable;

/**
 * How one member is, from what it says and from how its records end. It is as bad as it says at once, and better only when
 * three reports in a row say so. What it said is forgotten after 15 s, but for DRAINING, which only a report ends.
 *
 * <p>Confined to the shard thread.
 */
public final class MemberHealth {
    static final long EXPIRES_MS = 15_000;
    private static final long BLACKOUT_MS = 5_000;
    private static final int BETTER_REPORTS = 3;
    private static final long NEVER = Long.MIN_VALUE;

    private final Outcomes outcomes = new Outcomes();
    private HealthState state = HealthState.READY;
    private String reasons = "";
    private int better;
    private boolean wantsHandoff;
    private int nearPm = Weights.NORMAL;
    private long load;
    private long firstReportMs = NEVER;
    private long lastReportMs = NEVER;
    private long stateSinceMs = NEVER;
    private long slowFromMs = NEVER;
    private long weight = Weights.NORMAL;
    private boolean started;

    /** What became of the records it got. */
    public Outcomes outcomes() {
        return outcomes;
    }

    public HealthState state() {
        return state;
    }

    /** Why it is in its state, in words. */
    public String reasons() {
        return reasons;
    }

    /** Its weight against {@link Weights#NORMAL}; 0 = it gets nothing. */
    public long weight() {
        return weight;
    }

    /** Since when it is in its state; the smallest long when it always was. */
    public long stateSinceMs() {
        return stateSinceMs;
    }

    /** Whether it asks to be relieved. */
    public boolean wantsHandoff() {
        return wantsHandoff;
    }

    /** Takes a report; the state before when this changes it, else null. */
    @Nullable
    HealthState report(HealthReport report, long nowMs) {
        if (firstReportMs == NEVER) {
            firstReportMs = nowMs;
            if (!started) {
                slowStart(nowMs);
            }
        }
        lastReportMs = nowMs;
        wantsHandoff = report.wantsHandoff();
        nearPm = report.nearPm();
        long reading = Weights.of(report);
        if (reading > 0) {
            load = Weights.smoothed(load, reading);
        }
        if (report.state().compareTo(state) >= 0) {
            better = 0;
            reasons = report.reasons();
            return report.state() == state ? null : enter(report.state(), nowMs);
        }
        if (++better < BETTER_REPORTS) {
            return null;
        }
        reasons = report.reasons();
        return enter(report.state(), nowMs);
    }

    private HealthState enter(HealthState next, long nowMs) {
        HealthState before = state;
        state = next;
        better = 0;
        stateSinceMs = nowMs;
        if (before.factorPm() == 0 && next.factorPm() > 0) {
            slowStart(nowMs);
        } else if (before == HealthState.DEGRADED && next == HealthState.READY) {
            // Its share grows from the quarter it had.
            slowFromMs = nowMs - Weights.SLOW_START_MS * startPm(nowMs) * before.factorPm() / 1_000_000;
        }
        return before;
    }

    /** From now on its share grows from a tenth. */
    void slowStart(long nowMs) {
        started = true;
        slowFromMs = nowMs;
    }

    /** Forgets what it said when that is too old; the state before when this changes it, else null. */
    @Nullable
    HealthState expire(long nowMs) {
        if (lastReportMs == NEVER || nowMs - lastReportMs < EXPIRES_MS || state == HealthState.DRAINING) {
            return null;
        }
        firstReportMs = NEVER;
        lastReportMs = NEVER;
        load = 0;
        nearPm = Weights.NORMAL;
        wantsHandoff = false;
        reasons = "";
        return state == HealthState.READY ? null : enter(HealthState.READY, nowMs);
    }

    /** What it can do, when that is known for long enough; else 0. */
    long load(long nowMs) {
        return firstReportMs == NEVER || nowMs - firstReportMs < BLACKOUT_MS ? 0 : load;
    }

    /** Whether it differs from a member nothing is known of. */
    boolean isNotable(long nowMs) {
        return lastReportMs != NEVER
                || state != HealthState.READY
                || outcomes.isOut()
                || outcomes.isProbing()
                || isStarting(nowMs);
    }

    /** Whether its share still grows. */
    public boolean isStarting(long nowMs) {
        return slowFromMs != NEVER && nowMs - slowFromMs < Weights.SLOW_START_MS;
    }

    private long startPm(long nowMs) {
        return slowFromMs == NEVER ? 1_000 : Weights.slowStartPm(nowMs - slowFromMs);
    }

    void weigh(long meanLoad, boolean panic, long nowMs) {
        if (state.factorPm() == 0 || (outcomes.isOut() && !panic)) {
            weight = 0;
            return;
        }
        long all = Weights.relative(load(nowMs), meanLoad)
                * startPm(nowMs)
                * state.factorPm()
                / 1_000_000
                * nearPm
                / 1_000;
        weight = Math.max(1, all);
    }
}
