package io.spillway.broker.flow;

import io.spillway.protocol.v1.PressureReason;
import io.spillway.protocol.v1.PressureState;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.function.ObjIntConsumer;

/** Several signals of pressure; the highest is the state, and what is at or above ELEVATED its reasons. Not thread-safe. */
public final class Pressures {
    /** All there are. */
    public static final List<PressureReason> SIGNALS = List.of(
            PressureReason.R_QUEUE_DELAY,
            PressureReason.R_MEMORY,
            PressureReason.R_DISK_SPACE,
            PressureReason.R_DISK_LATENCY,
            PressureReason.R_REPLICATION,
            PressureReason.R_CPU);

    // Milliseconds. A closed loop at full speed has a queue, too; what is normal there is no pressure.
    private static final long[] QUEUE_DELAY_MS = {50, 200, 1_000};
    private static final int[] BUSY_PM = {800, 950};
    private static final int LAG_PER_STALL = 10;

    private final Map<PressureReason, PressureLevel> levels = new EnumMap<>(PressureReason.class);

    /** How long publishes wait for their shard, and memory, which are each failure domain's own. */
    public static Pressures ofDomain() {
        Pressures all = new Pressures();
        all.add(PressureReason.R_QUEUE_DELAY, QUEUE_DELAY_MS, new long[] {25, 100, 500});
        // Per mille of the budget.
        all.add(PressureReason.R_MEMORY, new long[] {600, 750, 900}, new long[] {500, 650, 800});
        // Per mille of the thread's time, of a domain that waits for it.
        all.add(PressureReason.R_CPU, new long[] {BUSY_PM[0], BUSY_PM[1]}, new long[] {650, 800});
        return all;
    }

    /** What concerns everybody. */
    public static Pressures ofBroker() {
        Pressures all = new Pressures();
        // Per mille: the free space that publishing needs, of what is free.
        all.add(PressureReason.R_DISK_SPACE, new long[] {250, 500, 667, 1_001}, new long[] {200, 400, 571, 1_001});
        // p99 of syncs, and for how long nothing could be proposed, in ms.
        all.add(PressureReason.R_DISK_LATENCY, new long[] {250, 1_000, 5_000}, new long[] {125, 500, 2_500});
        all.add(PressureReason.R_REPLICATION, new long[] {100, 500}, new long[] {50, 250});
        return all;
    }

    private void add(PressureReason reason, long[] enter, long[] leave) {
        levels.put(reason, new PressureLevel(enter, leave));
    }

    /**
     * What a thread that is so busy, per mille, counts for a domain that waits so long for it, in ms: nothing as long as it
     * keeps up, and never a higher level than the wait itself.
     */
    public static int busy(int cpuPm, int waitedMs) {
        return waitedMs < QUEUE_DELAY_MS[0]
                ? 0
                : Math.min(cpuPm, waitedMs < QUEUE_DELAY_MS[1] ? BUSY_PM[1] - 1 : cpuPm);
    }

    /** What counts as having no room for another entry, when a majority lacks the oldest one for so long. */
    public static int lag(int stalledMs, int lagMs) {
        return Math.max(stalledMs, lagMs / LAG_PER_STALL);
    }

    /** One more reading of one signal. */
    public void tick(PressureReason reason, long value) {
        level(reason).tick(value);
    }

    /** The time of a reading of one signal, of which there is no news. */
    public void tickWithout(PressureReason reason) {
        level(reason).tickWithout();
    }

    /** Nothing can be written, from now on until readings say otherwise. */
    public void readOnly() {
        level(PressureReason.R_DISK_SPACE).jump(PressureState.P_READ_ONLY_VALUE);
    }

    /** What stopped writing is over, and there is no reason to wait until it is believed. */
    public void writable(long value) {
        PressureLevel level = level(PressureReason.R_DISK_SPACE);
        if (level.level() == PressureState.P_READ_ONLY_VALUE) {
            level.jump(PressureState.P_OVERLOADED_VALUE);
        }
        level.tick(value);
    }

    private PressureLevel level(PressureReason reason) {
        PressureLevel level = levels.get(reason);
        if (level == null) {
            throw new IllegalArgumentException("no signal: " + reason);
        }
        return level;
    }

    public PressureState state() {
        int highest = 0;
        for (PressureLevel level : levels.values()) {
            highest = Math.max(highest, level.level());
        }
        return PressureState.forNumber(highest);
    }

    public List<PressureReason> reasons() {
        List<PressureReason> reasons = new ArrayList<>();
        levels.forEach((reason, level) -> {
            if (level.level() > 0) {
                reasons.add(reason);
            }
        });
        reasons.sort(Comparator.comparingInt(reason -> -level(reason).level()));
        return reasons;
    }

    /** What is not at ease. */
    public void levels(ObjIntConsumer<PressureReason> sink) {
        levels.forEach((reason, level) -> {
            if (level.level() > 0) {
                sink.accept(reason, level.level());
            }
        });
    }

    /** Sees a signal above its line. */
    public interface Reading {
        void of(PressureReason reason, int level, long value, long line);
    }

    /** What is not at ease, with what was measured last. */
    public void readings(Reading reader) {
        levels.forEach((reason, level) -> {
            if (level.level() > 0) {
                reader.of(reason, level.level(), level.value(), level.line());
            }
        });
    }

    /** What a signal is measured in. */
    public static String unit(PressureReason reason) {
        return switch (reason) {
            case R_QUEUE_DELAY, R_DISK_LATENCY, R_REPLICATION -> "ms";
            case R_DISK_SPACE -> "per mille of what is free is needed";
            default -> "per mille";
        };
    }

    public boolean isCalm() {
        return state() == PressureState.P_NORMAL;
    }
}
