package io.spillway.broker.flow;

import java.util.Arrays;

/**
 * What is still admitted while a queue is too long: everything that matters at least so much. Priority is the class and,
 * within a class, a hash of the principal, so that a principal's publishes go together and not some of each (DAGOR, Zhou et
 * al., SoCC 2018). Who is unlucky changes each hour. After each period the threshold moves: a twentieth less of what came
 * when the queue was too long in it, a hundredth more when it was not. Class 0 is always admitted, and so is what matters
 * most of that which comes. Not thread-safe.
 */
public final class ShedThreshold {
    /** A period ends after so many publishes, or after {@value #PERIOD_MS} ms. */
    public static final int PERIOD_PUBLISHES = 2_000;

    public static final int PERIOD_MS = 1_000;

    private static final int CLASSES = 4;
    private static final int PRINCIPALS = 128;
    private static final int PRIORITIES = CLASSES * PRINCIPALS;
    private static final int LESS_PART = 20;
    private static final int MORE_PART = 100;
    /** Without anything that comes there is no telling how much more that is. */
    private static final int MOST_MORE = 32;

    private static final long HOUR_MS = 3_600_000;
    private static final int GOLDEN = 0x9e3779b9;

    private final int[] came = new int[PRIORITIES];
    /** Priorities below it are admitted. */
    private int threshold = PRIORITIES;

    private int total;
    private long periodSinceMs;

    /** Counts a publish; whether it is admitted. */
    public boolean admits(int shedClass, String principal, long nowMs) {
        int priority = priority(shedClass, principal, nowMs);
        came[priority]++;
        total++;
        return priority < threshold || priority < PRINCIPALS;
    }

    static int priority(int shedClass, String principal, long nowMs) {
        int mixed = (principal.hashCode() ^ (int) (nowMs / HOUR_MS) * GOLDEN) * GOLDEN;
        return Math.min(CLASSES - 1, shedClass) * PRINCIPALS + (mixed >>> 16) % PRINCIPALS;
    }

    public boolean isPeriodOver(long nowMs) {
        return total >= PERIOD_PUBLISHES || nowMs - periodSinceMs >= PERIOD_MS;
    }

    /** @param tooLong whether the queue was too long in the period that ends */
    public void endPeriod(boolean tooLong, long nowMs) {
        if (tooLong) {
            lower();
        } else {
            raise();
        }
        Arrays.fill(came, 0);
        total = 0;
        periodSinceMs = nowMs;
    }

    private void lower() {
        int first = 0;
        while (first < PRIORITIES - 1 && came[first] == 0) {
            first++;
        }
        int excess = Math.max(1, total / LESS_PART);
        while (threshold > first + 1 && excess > 0) {
            threshold--;
            excess -= came[threshold];
        }
    }

    private void raise() {
        int more = Math.max(1, total / MORE_PART);
        int last = Math.min(PRIORITIES, threshold + MOST_MORE);
        while (threshold < last && more > 0) {
            more -= came[threshold];
            threshold++;
        }
    }

    /** Whether everything is admitted. */
    public boolean isOpen() {
        return threshold == PRIORITIES;
    }
}
