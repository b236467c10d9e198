package io.spillway.client;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

/** When late ticks count. */
class LatenessTest {
    private final Lateness ticks = new Lateness();

    private void run(int every) {
        for (int i = 1; i <= Lateness.LAST; i++) {
            ticks.add(i % every == 0 ? 20_000 : 1_000);
        }
    }

    @Test
    void oneLateTickInTwoSecondsIsNoneAndTwoASecondAre() {
        assertThat(ticks.p99Us()).isZero();
        run(100);
        assertThat(ticks.p99Us()).isEqualTo(1_000);
        run(25);
        assertThat(ticks.p99Us()).isEqualTo(20_000);
        run(1_000);
        assertThat(ticks.p99Us()).as("what is older is forgotten").isEqualTo(1_000);
    }
}
