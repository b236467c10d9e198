package io.spillway.bench.endtoend;

import java.util.concurrent.locks.LockSupport;
import java.util.function.LongConsumer;

/**
 * Calls a step at fixed times, whatever the one before it took: a system that stalls is charged for all the steps that
 * fell due meanwhile (no coordinated omission). It parks between steps, because a driver that spins would take half of a
 * small machine from what it measures; so it is late itself, and {@link Latencies} says how much.
 */
final class OpenLoop {
    /** A parked thread wakes about this late (50 us of timer slack and a context switch); the rest is spun. */
    private static final long WAKE_UP_NS = 60_000;

    private static final long SECOND_NS = 1_000_000_000;

    private OpenLoop() {}

    /** Runs the steps, each given the time it was due (nanoTime). */
    static void run(long perSecond, long steps, LongConsumer step) {
        long startNs = System.nanoTime();
        for (long i = 0; i < steps; i++) {
            long dueNs = startNs + i * SECOND_NS / perSecond;
            awaitNs(dueNs);
            step.accept(dueNs);
        }
    }

    private static void awaitNs(long dueNs) {
        for (long leftNs = dueNs - System.nanoTime(); leftNs > 0; leftNs = dueNs - System.nanoTime()) {
            if (leftNs > WAKE_UP_NS) {
                LockSupport.parkNanos(leftNs - WAKE_UP_NS);
            } else {
                Thread.onSpinWait();
            }
        }
    }
}
