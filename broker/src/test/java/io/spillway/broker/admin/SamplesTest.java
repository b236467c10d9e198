package io.spillway.broker.admin;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;

final class SamplesTest {
    @Test
    void aSeriesKeepsItsLastPointsInOrder() {
        Series series = new Series(List.of("a", "b"), 3);
        for (int i = 1; i <= 5; i++) {
            series.add(i, 10 * i);
        }

        assertThat(series.last(0, 10)).containsExactly(3, 4, 5);
        assertThat(series.last(1, 2)).containsExactly(40, 50);
    }

    @Test
    void aSeriesThatIsNotFullHasWhatThereIs() {
        Series series = new Series(List.of("a"), 3);
        series.add(7);

        assertThat(series.last(0, 3)).containsExactly(7);
        assertThat(series.size()).isEqualTo(1);
    }

    @Test
    void anHourFitsIntoWhatIsPromised() {
        assertThat(Samples.POINTS * Samples.TICK_SECONDS).isEqualTo(3_600);
        assertThat((long) Samples.MAX_TOPICS * Samples.TOPIC_POINTS * 4 * Float.BYTES)
                .isLessThan(6L << 20);
    }
}
