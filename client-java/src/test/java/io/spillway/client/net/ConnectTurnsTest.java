package io.spillway.client.net;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class ConnectTurnsTest {
    /** Stands still until it is told to move; monotonic times may be negative. */
    private static final class FakeClock implements Clock {
        private long nowNs = -5_000_000_000_000L;

        @Override
        public long nowMs() {
            return 0;
        }

        @Override
        public long nanoTime() {
            return nowNs;
        }
    }

    private final FakeClock clock = new FakeClock();
    private final ConnectTurns turns = new ConnectTurns(clock);

    @Test
    void theTwentyFirstToConnectAgainWaitsForItsTurn() {
        for (int i = 0; i < 20; i++) {
            assertThat(turns.takeMs()).isZero();
        }

        assertThat(turns.takeMs()).isEqualTo(100);
        clock.nowNs += 50_000_000;
        assertThat(turns.takeMs()).isEqualTo(150);
        clock.nowNs += 250_000_000;
        assertThat(turns.takeMs()).isZero();
    }
}
