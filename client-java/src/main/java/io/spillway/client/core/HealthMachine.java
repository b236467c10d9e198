package io.spillway.client.core;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/**
 * Decides how a client is, from samples, and when the broker is told. What is measured counts by the worst part; how many
 * handlers are busy counts for the utilisation only: a client that has work is not ill. Each event returns whether a
 * report is due now. Driven by vectors/health.json. Not thread-safe.
 */
public final class HealthMachine {
    /** In the order of the wire. */
    public enum State {
        READY,
        DEGRADED,
        CRITICAL,
        DRAINING
    }

    /** Why a client is not READY. */
    public enum Reason {
        GC(1),
        MEMORY(2),
        IO_WAIT(3),
        SCHED_LATENCY(7),
        MANUAL(8);

        private final int number;

        Reason(int number) {
            this.number = number;
        }

        /** On the wire. */
        public int number() {
            return number;
        }
    }

    private record Part(Reason reason, int pm) {}

    private static final int FULL_PM = 1_000;
    private static final int ENTER_PM = 800;
    private static final int LEAVE_PM = 600;
    private static final int CRITICAL_PM = 950;
    private static final int LEAVE_CRITICAL_PM = 800;
    private static final int ENTER_AFTER = 2;
    private static final int LEAVE_AFTER = 5;
    private static final long HANDOFF_AFTER_MS = 10_000;
    private static final long MIN_REPORT_GAP_MS = 200;

    private static final int SCHED_FULL_US = 10_000;
    private static final int PSI_MEM_SOME_FULL_PM = 100;
    private static final int PSI_MEM_FULL_FULL_PM = 50;
    private static final int PSI_IO_FULL_FULL_PM = 200;

    private final long gcFullPm;
    private State state = State.READY;
    private List<Reason> reasons = List.of();
    private int utilPm;
    private boolean handoff;
    private boolean degraded;
    private boolean critical;
    private int aboveInARow;
    private int belowInARow;
    private int memoryBelowInARow;
    private State app = State.READY;
    private boolean draining;
    private long illSinceMs;
    private boolean sampled;
    private boolean reported;
    private long reportedMs;
    private boolean due;

    /** @param gcFullPm the share of the collector that counts as 1,000 */
    public HealthMachine(long gcFullPm) {
        this.gcFullPm = gcFullPm;
    }

    public State state() {
        return state;
    }

    /** Why it is not ready, the worst first. */
    public List<Reason> reasons() {
        return reasons;
    }

    /** The worst part of the last sample, handlers included. */
    public int utilPm() {
        return utilPm;
    }

    /** Somebody else should have its work. */
    public boolean handoffRequested() {
        return handoff;
    }

    /** It should take nothing new: there is no memory for it. */
    public boolean brakes() {
        return critical;
    }

    public boolean sample(HealthSample s, long nowMs) {
        sampled = true;
        due = true;
        app = s.appState() == State.DRAINING ? State.CRITICAL : s.appState();
        int memory = Math.max(s.memory().heapPm(), s.memory().memPm());
        HealthSample.Stalls stalls = s.stalls();
        int stalled = Math.max(
                share(stalls.memSomePm(), PSI_MEM_SOME_FULL_PM), share(stalls.memFullPm(), PSI_MEM_FULL_FULL_PM));
        List<Part> parts = new ArrayList<>(List.of(
                new Part(Reason.GC, share(s.gcCpuPm(), gcFullPm)),
                new Part(Reason.MEMORY, Math.min(FULL_PM, Math.max(memory, stalled))),
                new Part(Reason.IO_WAIT, share(stalls.ioFullPm(), PSI_IO_FULL_FULL_PM)),
                new Part(Reason.SCHED_LATENCY, share(s.schedP99Us(), SCHED_FULL_US)),
                new Part(Reason.MANUAL, (int) Math.min(FULL_PM, s.appUtilPm()))));
        parts.sort(Comparator.comparingInt(Part::pm).reversed()); // stable: equal ones by number
        int worst = parts.get(0).pm();
        utilPm = Math.max(worst, share(s.handlers().inflight(), s.handlers().maxInflight()));
        judge(worst, memory);
        explain(parts);
        settle(nowMs);
        return isDue(nowMs);
    }

    /** Whether the client is being closed. */
    public boolean drain(boolean isDraining, long nowMs) {
        draining = isDraining;
        settle(nowMs);
        return isDue(nowMs);
    }

    /** To a broker that has heard nothing yet. */
    public boolean connected(long nowMs) {
        reported = false;
        due = true;
        return isDue(nowMs);
    }

    /** Time has passed; some times a second. */
    public boolean timer(long nowMs) {
        return isDue(nowMs);
    }

    private static int share(long part, long whole) {
        return whole == 0 ? 0 : (int) Math.min(FULL_PM, part * FULL_PM / whole);
    }

    private void judge(int worst, int memory) {
        aboveInARow = worst >= ENTER_PM ? aboveInARow + 1 : 0;
        belowInARow = worst < LEAVE_PM ? belowInARow + 1 : 0;
        memoryBelowInARow = memory < LEAVE_CRITICAL_PM ? memoryBelowInARow + 1 : 0;
        if (aboveInARow >= ENTER_AFTER) {
            degraded = true;
        } else if (belowInARow >= LEAVE_AFTER) {
            degraded = false;
        }
        if (memory >= CRITICAL_PM) {
            critical = true;
        } else if (memoryBelowInARow >= LEAVE_AFTER) {
            critical = false;
        }
    }

    /** What is above the line that has to be passed to be well again. When nothing is, the old reasons stand. */
    private void explain(List<Part> parts) {
        List<Reason> now = parts.stream()
                .filter(part -> part.pm() >= LEAVE_PM || part.reason() == Reason.MANUAL && app != State.READY)
                .map(Part::reason)
                .toList();
        reasons = now.isEmpty() ? reasons : now;
    }

    private void settle(long nowMs) {
        State before = state;
        State measured = critical ? State.CRITICAL : degraded ? State.DEGRADED : State.READY;
        state = measured.compareTo(app) < 0 ? app : measured;
        if (state == State.READY) {
            illSinceMs = nowMs;
            reasons = List.of();
        }
        handoff = state == State.CRITICAL || nowMs - illSinceMs >= HANDOFF_AFTER_MS;
        if (draining) {
            state = State.DRAINING;
        }
        due |= state != before;
    }

    private boolean isDue(long nowMs) {
        boolean soon = reported && nowMs - reportedMs < MIN_REPORT_GAP_MS;
        if (!due || !sampled && state != State.DRAINING || soon) {
            return false;
        }
        due = false;
        reported = true;
        reportedMs = nowMs;
        return true;
    }
}
