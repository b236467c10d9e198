package io.spillway.broker.session;

import java.util.function.IntConsumer;

/**
 * What becomes of a client that sends batches without credit: each is refused; after {@value #TOLERATED} within ten seconds
 * nothing is read of it for a moment, and when it does the same again within a minute it has to go. Confined to the
 * connection's event loop.
 */
final class CreditViolations {
    static final int TOLERATED = 3;
    static final int MAX_PAUSE_MS = 1_000;

    private static final int MIN_PAUSE_MS = 100;
    private static final long COUNTED_NS = 10_000_000_000L;
    private static final long REMEMBERED_NS = 60_000_000_000L;
    private static final long MS_NS = 1_000_000;

    private final IntConsumer pause;
    private final Runnable leave;
    private int count;
    private long firstNs;
    private boolean wasPaused;
    private boolean hasLeft;
    private long pausedUntilNs;

    /**
     * @param pause reads nothing for so many ms
     * @param leave sends it away
     */
    CreditViolations(IntConsumer pause, Runnable leave) {
        this.pause = pause;
        this.leave = leave;
    }

    /** @param owedMs for how long it is to wait for other reasons */
    void add(long nowNs, int owedMs) {
        if (hasLeft || (wasPaused && nowNs - pausedUntilNs < 0)) {
            // What was read already when it was paused.
            return;
        }
        if (wasPaused && nowNs - pausedUntilNs > REMEMBERED_NS) {
            wasPaused = false;
        }
        if (count == 0 || nowNs - firstNs > COUNTED_NS) {
            count = 0;
            firstNs = nowNs;
        }
        if (++count < TOLERATED) {
            return;
        }
        count = 0;
        if (wasPaused) {
            hasLeft = true;
            leave.run();
        } else {
            int ms = Math.max(MIN_PAUSE_MS, Math.min(MAX_PAUSE_MS, owedMs));
            wasPaused = true;
            pausedUntilNs = nowNs + ms * MS_NS;
            pause.accept(ms);
        }
    }
}
