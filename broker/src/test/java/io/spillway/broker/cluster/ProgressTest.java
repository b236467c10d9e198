package io.spillway.broker.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import io.spillway.broker.replication.ClusterStatus;
import org.junit.jupiter.api.Test;

final class ProgressTest {
    private final Progress progress = new Progress();

    @Test
    void aNodeThatStandsStillWhileTheLeaderGoesOnIsNotWhole() {
        assertThat(progress.lookMs(7, 8, 1_000)).isZero();
        assertThat(progress.lookMs(7, 20, 1_000 + Progress.PATIENCE_MS - 1)).isZero();

        assertThat(progress.lookMs(7, 20, 1_000 + Progress.PATIENCE_MS)).isEqualTo(Progress.PATIENCE_MS);
        assertThat(progress.lookMs(8, 20, 2_000 + Progress.PATIENCE_MS))
                .as("it moves again")
                .isZero();
    }

    @Test
    void aSlowNodeIsNotOneThatStandsStill() {
        for (int second = 0; second < 60; second++) {
            assertThat(progress.lookMs(second, 1_000_000, 1_000L * second)).isZero();
        }
    }

    @Test
    void nothingIsLackedWhenTheLeaderHasNothingMore() {
        assertThat(progress.lookMs(7, 7, 0)).isZero();
        assertThat(progress.lookMs(7, 7, 100_000)).isZero();
        assertThat(progress.lookMs(7, 8, 100_200))
                .as("the time before there was more does not count")
                .isZero();
    }

    @Test
    void whereTheLeaderIsUnknownIsNoJudgement() {
        assertThat(progress.lookMs(7, 20, 0)).isZero();
        assertThat(progress.lookMs(7, ClusterStatus.UNKNOWN, Progress.PATIENCE_MS))
                .isZero();
        assertThat(progress.lookMs(7, 20, Progress.PATIENCE_MS + 200)).isZero();
    }
}
