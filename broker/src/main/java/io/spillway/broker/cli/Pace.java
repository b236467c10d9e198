package io.spillway.broker.cli;

import java.util.concurrent.locks.LockSupport;

/**
 * When the next of many things is due, at an even rate from the start; what is late is done at once, so that the rate
 * holds on average. Not thread-safe.
 */
final class Pace {
    /** A parked thread wakes about this late; the rest is spun. */
    private static final long WAKE_UP_NS = 60_000;

    private final long startNs;
    private final long perSecond;
    private long done;

    /** @param perSecond 0 = no limit */
    Pace(long startNs, long perSecond) {
        this.startNs = startNs;
        this.perSecond = perSecond;
    }

    /** Counts one thing done and waits until the next one is due. */
    void awaitNext() {
        done++;
        if (perSecond > 0) {
            awaitNs(dueNs(done));
        }
    }

    /** When the thing of that number, from 0, is due by the clock of {@link System#nanoTime}. */
    long dueNs(long number) {
        return startNs + (long) (number * (1e9 / perSecond));
    }

    /** Waits until that time of the clock. */
    static void awaitNs(long dueNs) {
        long leftNs = dueNs - System.nanoTime();
        while (leftNs > 0) {
            if (leftNs > WAKE_UP_NS) {
                LockSupport.parkNanos(leftNs - WAKE_UP_NS);
            } else {
                Thread.onSpinWait();
            }
            leftNs = dueNs - System.nanoTime();
        }
    }

    long elapsedNs() {
        return System.nanoTime() - startNs;
    }
}
