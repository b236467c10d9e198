package io.spillway.broker.replay;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;

class SampleTest {
    private static long taken(int partition, int perMille) {
        return LongStream.range(0, 100_000)
                .filter(offset -> Sample.takes(partition, offset, perMille))
                .count();
    }

    @Test
    void takesAboutTheShareOfEachPartition() {
        assertThat(taken(0, 100)).isBetween(9_500L, 10_500L);
        assertThat(taken(7, 100)).isBetween(9_500L, 10_500L);
        assertThat(taken(0, 0)).as("0 = all").isEqualTo(100_000);
        assertThat(taken(0, 1000)).isEqualTo(100_000);
    }

    @Test
    void aLargerSampleHoldsTheSmallerOne() {
        assertThat(LongStream.range(0, 10_000).filter(offset -> Sample.takes(1, offset, 10)))
                .allMatch(offset -> Sample.takes(1, offset, 50));
    }

    @Test
    void countsExactlyThenEstimates() {
        DistinctCount count = new DistinctCount(1_000);
        for (long i = 0; i < 1_000; i++) {
            assertThat(count.add(i)).isTrue();
            assertThat(count.add(i)).isFalse();
        }
        assertThat(count.isExact()).isTrue();
        assertThat(count.count()).isEqualTo(1_000);

        LongStream.range(0, 200_000).forEach(count::add);

        assertThat(count.isExact()).isFalse();
        assertThat(count.count()).isBetween(185_000L, 215_000L);
    }
}
