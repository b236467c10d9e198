package io.spillway.broker.cli;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class ProgressLinesTest {
    private final ProgressLines lines = new ProgressLines();

    @Test
    void theFirstLineIsWrittenAtOnce() {
        assertThat(lines.isDue("1 of 10", -7)).isTrue();
    }

    @Test
    void whatHasNotChangedIsWrittenAgainAsASignOfLifeAlone() {
        lines.isDue("1 of 10", 0);

        assertThat(lines.isDue("1 of 10", 1_000)).isFalse();
        assertThat(lines.isDue("1 of 10", 9_999)).isFalse();
        assertThat(lines.isDue("1 of 10", 10_000)).isTrue();
        assertThat(lines.isDue("1 of 10", 15_000)).isFalse();
    }

    @Test
    void whatHasChangedIsWrittenEveryFiveSeconds() {
        lines.isDue("1 of 10", 0);

        assertThat(lines.isDue("2 of 10", 4_999)).isFalse();
        assertThat(lines.isDue("3 of 10", 5_000)).isTrue();
        assertThat(lines.isDue("4 of 10", 9_999)).isFalse();
    }
}
