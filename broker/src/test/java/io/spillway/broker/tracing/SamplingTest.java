package io.spillway.broker.tracing;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

final class SamplingTest {
    @Test
    void takesAllOfThemOrNone() {
        for (long part : new long[] {0, 1, -1, Long.MAX_VALUE, Long.MIN_VALUE}) {
            assertThat(new Sampling(1).takes(part)).isTrue();
            assertThat(new Sampling(0).takes(part)).isFalse();
        }
    }

    @Test
    void takesAShareOfRandomOnesAndAlwaysTheSame() {
        SplittableRandom random = new SplittableRandom(11);
        Sampling quarter = new Sampling(0.25);
        Sampling half = new Sampling(0.5);
        int taken = 0;
        for (int i = 0; i < 10_000; i++) {
            long part = random.nextLong();
            taken += quarter.takes(part) ? 1 : 0;
            assertThat(quarter.takes(part)).isEqualTo(new Sampling(0.25).takes(part));
            assertThat(!quarter.takes(part) || half.takes(part))
                    .as("what a small share has, a larger one has, too")
                    .isTrue();
        }
        assertThat(taken).isBetween(2_300, 2_700);
    }
}
