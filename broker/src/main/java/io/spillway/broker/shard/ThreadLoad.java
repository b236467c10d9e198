package io.spillway.broker.shard;

import java.lang.management.ManagementFactory;
import java.util.function.LongSupplier;

/** How much of its time a thread is at work. Confined to that thread. */
final class ThreadLoad {
    private static final int FULL_PM = 1_000;

    private final LongSupplier cpuNs;
    private long atCpuNs = -1;
    private long atNs;

    /** @param cpuNs for how long the thread has been at work; -1 = not known */
    ThreadLoad(LongSupplier cpuNs) {
        this.cpuNs = cpuNs;
    }

    static long ofThisThread() {
        return ManagementFactory.getThreadMXBean().getCurrentThreadCpuTime();
    }

    /** Per mille of the time since this was last asked; 0 at first, and when it is not known. */
    int endInterval(long nowNs) {
        long now = cpuNs.getAsLong();
        boolean isKnown = atCpuNs >= 0 && now >= 0 && nowNs > atNs;
        int pm = isKnown ? (int) Math.min(FULL_PM, (now - atCpuNs) * FULL_PM / (nowNs - atNs)) : 0;
        atCpuNs = now;
        atNs = nowNs;
        return pm;
    }
}
