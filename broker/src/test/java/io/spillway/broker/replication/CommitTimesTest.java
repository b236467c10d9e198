package io.spillway.broker.replication;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class CommitTimesTest {
    private final CommitTimes times = new CommitTimes();

    @Test
    void whoHasAllLacksNothing() {
        assertThat(times.lagMs(0, 1_000)).isZero();
        times.note(10, 1_000);

        assertThat(times.lagMs(10, 5_000)).isZero();
        assertThat(times.lagMs(11, 5_000)).isZero();
    }

    @Test
    void aLagBeginsWithTheFirstEntryThatIsMissing() {
        times.note(10, 1_000);
        times.note(20, 2_000);
        times.note(30, 3_000);

        assertThat(times.lagMs(10, 3_500)).isEqualTo(1_500);
        assertThat(times.lagMs(19, 3_500)).isEqualTo(1_500);
        assertThat(times.lagMs(20, 3_500)).isEqualTo(500);
        assertThat(times.lagMs(-1, 3_500)).isEqualTo(2_500);
    }

    @Test
    void seeingTheSameAgainChangesNothing() {
        times.note(10, 1_000);
        times.note(20, 2_000);
        times.note(20, 9_000);

        assertThat(times.lagMs(15, 10_000)).isEqualTo(8_000);
    }

    @Test
    void aLagOfDaysIsStillKnownAtLeastRoughly() {
        for (int i = 0; i < 1_000_000; i++) {
            times.note(i, i * 200L);
        }
        long nowMs = 1_000_000 * 200L;

        assertThat(times.lagMs(999_999, nowMs)).isZero();
        assertThat(times.lagMs(0, nowMs)).isBetween(nowMs * 9 / 10, nowMs);
        assertThat(times.lagMs(500_000, nowMs)).isBetween(nowMs * 45 / 100, nowMs / 2);
        assertThat(times.lagMs(999_998, nowMs)).isEqualTo(200);
    }
}
