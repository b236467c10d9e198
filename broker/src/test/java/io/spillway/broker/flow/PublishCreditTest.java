package io.spillway.broker.flow;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayDeque;
import java.util.Random;
import org.junit.jupiter.api.Test;

class PublishCreditTest {
    @Test
    void refusesABatchBeyondTheGrantedBatches() {
        var credit = new PublishCredit(2, 1000);
        credit.take(1);
        credit.take(1);

        assertThat(credit.take(1)).isFalse();
    }

    @Test
    void grantsAgainWhatIsDone() {
        var credit = new PublishCredit(1, 1000);
        credit.take(300);

        credit.done(300);

        assertThat(credit.maxBatches()).isEqualTo(2);
        assertThat(credit.maxBytes()).isEqualTo(1300);
        assertThat(credit.take(1)).isTrue();
    }

    @Test
    void letsOneBatchOverdrawTheLastByte() {
        var credit = new PublishCredit(10, 100);
        credit.take(99);

        assertThat(credit.take(1_000_000)).isTrue();
        assertThat(credit.take(1)).isFalse();
    }

    @Test
    void paysTheOverdraftBackBeforeAnythingElse() {
        var credit = new PublishCredit(10, 100);
        credit.take(99);
        credit.take(500);

        credit.done(99);

        assertThat(credit.take(1)).isFalse();
        credit.done(500);
        assertThat(credit.take(1)).isTrue();
    }

    @Test
    void refusesToFinishWhatWasNeverTaken() {
        var credit = new PublishCredit(10, 100);
        credit.take(50);

        assertThatThrownBy(() -> credit.done(51)).isInstanceOf(IllegalStateException.class);
    }

    @Test
    void conservesCredit() {
        long seed = new Random().nextLong();
        var random = new Random(seed);
        var credit = new PublishCredit(16, 4096);
        var outstanding = new ArrayDeque<Integer>();
        long taken = 0;
        long outstandingBytes = 0;
        long batches = 0;
        for (int step = 0; step < 100_000; step++) {
            int bytes = 1 + random.nextInt(1500);
            if (random.nextBoolean()) {
                boolean has = outstanding.size() < 16 && outstandingBytes < 4096;
                assertThat(credit.take(bytes)).as("seed %d step %d", seed, step).isEqualTo(has);
                if (has) {
                    outstanding.add(bytes);
                    outstandingBytes += bytes;
                    taken += bytes;
                    batches++;
                }
            } else if (!outstanding.isEmpty()) {
                int done = outstanding.remove();
                outstandingBytes -= done;
                credit.done(done);
            }
            assertThat(credit.maxBatches() - batches)
                    .as("seed %d step %d", seed, step)
                    .isEqualTo(16 - outstanding.size());
            assertThat(credit.maxBytes() - taken)
                    .as("seed %d step %d", seed, step)
                    .isEqualTo(4096 - outstandingBytes);
        }
    }
}
