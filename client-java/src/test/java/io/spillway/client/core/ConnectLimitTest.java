package io.spillway.client.core;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class ConnectLimitTest {
    private static final long NOW = 1_000_000;

    private final ConnectLimit limit = new ConnectLimit();

    private void takeABurst(long nowMs) {
        for (int i = 0; i < ConnectLimit.BURST; i++) {
            assertThat(limit.take(nowMs)).as("connect %d of the burst", i).isZero();
        }
    }

    @Test
    void connectsComeInABurstOfTwentyThenTenASecond() {
        takeABurst(NOW);

        for (int i = 1; i <= 5; i++) {
            assertThat(limit.take(NOW)).isEqualTo(i * 100L);
        }
        assertThat(limit.take(NOW + 600)).as("once those have gone").isZero();
        assertThat(limit.take(NOW + 600)).isEqualTo(100);
    }

    @Test
    void aBucketThatIsFullDoesNotGetFuller() {
        takeABurst(NOW);

        takeABurst(NOW + 60_000);

        assertThat(limit.take(NOW + 60_000)).isEqualTo(100);
    }
}
