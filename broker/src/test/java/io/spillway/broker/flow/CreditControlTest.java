package io.spillway.broker.flow;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayDeque;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Credit against a queue that is simulated: publishers that fill what credit they have, a server of varying speed. */
class CreditControlTest {
    private static final long MS = 1_000_000;
    private static final long TARGET = 20 * MS;
    private static final long CEILING = 256 << 20;
    private static final int BATCH = 64 << 10;

    /** A queue in front of a server, filled up to the credit. What is served is asked for again at once. */
    private static final class Queue {
        private final ArrayDeque<Long> arrivedMs = new ArrayDeque<>();
        private final CreditControl credit = new CreditControl(CEILING);
        private long nowMs;
        private double serves;
        private long longestMs;

        /** One millisecond in which so many batches can be served; how many were. */
        int step(double batches, int publishers) {
            nowMs++;
            while ((arrivedMs.size() + 1L) * BATCH <= Math.max(credit.bytes(), (long) publishers * BATCH)) {
                arrivedMs.add(nowMs);
            }
            serves += batches;
            int served = 0;
            while (serves >= 1 && !arrivedMs.isEmpty()) {
                serves--;
                served++;
                longestMs = Math.max(longestMs, nowMs - arrivedMs.remove());
            }
            if (nowMs % CreditControl.TICK_MS == 0) {
                long oldestMs = arrivedMs.isEmpty() ? 0 : nowMs - arrivedMs.peek();
                credit.tick(Math.max(longestMs, oldestMs) * MS, TARGET, (long) publishers * BATCH, nowMs * MS);
                longestMs = 0;
            }
            return served;
        }
    }

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 4, 5})
    void theWaitComesDownToItsTargetAndTheServerIsNeverIdle(long seed) {
        SplittableRandom random = new SplittableRandom(seed);
        Queue queue = new Queue();
        double speed = 1 + random.nextDouble() * 5;
        for (int i = 0; i < 10_000; i++) {
            queue.step(speed, 1);
        }

        int served = 0;
        long longestMs = 0;
        for (int i = 0; i < 5_000; i++) {
            served += queue.step(speed * (0.8 + 0.4 * random.nextDouble()), 1);
            longestMs = Math.max(longestMs, queue.arrivedMs.isEmpty() ? 0 : queue.nowMs - queue.arrivedMs.peek());
        }

        assertThat(longestMs).as("seed %d", seed).isLessThan(40);
        assertThat(served).as("seed %d", seed).isGreaterThan((int) (5_000 * speed * 0.97));
    }

    @Test
    void nothingIsHeldBackWhileNothingWaits() {
        CreditControl credit = new CreditControl(CEILING);
        for (int i = 0; i < 1_000; i++) {
            credit.tick(TARGET - 1, TARGET, BATCH, i * 10 * MS);
        }

        assertThat(credit.isFull()).isTrue();
        assertThat(credit.bytes()).isEqualTo(CEILING);
    }

    @Test
    void aServerThatStandsStillLeavesABatchForEach() {
        Queue queue = new Queue();
        for (int i = 0; i < 60_000; i++) {
            queue.step(0, 50);
        }

        assertThat(queue.credit.bytes()).as("though nothing is ever served").isEqualTo(50L * BATCH);
    }

    @Test
    void whatWasTakenComesBackWhenTheWaitIsShortAgain() {
        CreditControl credit = new CreditControl(CEILING);
        for (int i = 0; i < 100; i++) {
            credit.tick(10 * TARGET, TARGET, BATCH, i * 10 * TARGET);
        }
        assertThat(credit.bytes()).isEqualTo(BATCH);
        int ticks = 0;
        while (!credit.isFull()) {
            credit.tick(TARGET / 4, TARGET, BATCH, 0);
            ticks++;
        }

        assertThat(ticks * CreditControl.TICK_MS).as("ms").isBetween(5_000, 15_000);
    }

    @Test
    void whatWaitedAlreadyWhenCreditWasTakenIsNoReasonToTakeMore() {
        CreditControl credit = new CreditControl(CEILING);
        credit.tick(10 * TARGET, TARGET, BATCH, 0);
        long after = credit.bytes();
        credit.tick(10 * TARGET, TARGET, BATCH, 10 * TARGET - 1);
        assertThat(credit.bytes()).isEqualTo(after);

        credit.tick(10 * TARGET, TARGET, BATCH, 10 * TARGET);

        assertThat(credit.bytes()).isEqualTo(after / 2);
    }

    @Test
    void theMoreItExceedsItsTargetTheMoreIsTakenUpToHalf() {
        CreditControl slightly = new CreditControl(CEILING);
        CreditControl badly = new CreditControl(CEILING);
        slightly.tick(2 * TARGET, TARGET, BATCH, 0);
        badly.tick(1_000 * TARGET, TARGET, BATCH, 0);

        assertThat(slightly.bytes()).isEqualTo(CEILING / 10 * 9 + (CEILING % 10) * 9 / 10);
        assertThat(badly.bytes()).isEqualTo(CEILING / 2);
    }
}
