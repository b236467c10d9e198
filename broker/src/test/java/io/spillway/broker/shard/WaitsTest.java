package io.spillway.broker.shard;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class WaitsTest {
    private static final long MS = 1_000_000;

    private final Waits waits = new Waits();

    private void turn(String domain, long... waitedMs) {
        for (long ms : waitedMs) {
            waits.taken(domain, ms * MS);
        }
        waits.endTurn();
    }

    @Test
    void aQueueThatStandsIsSeenThoughSomeOfItWaitedLittle() {
        turn("rust", 1, 300);
        turn("rust", 250, 2);

        assertThat(waits.endInterval()).containsEntry("rust", 250);
    }

    @Test
    void aBurstThatIsGoneWithinTheIntervalIsNone() {
        turn("rust", 300);
        turn("rust", 0);

        assertThat(waits.endInterval()).isEmpty();
    }

    @Test
    void domainsAreSeenApart() {
        waits.taken("rust", 300 * MS);
        waits.taken("go", 5 * MS);
        waits.endTurn();

        assertThat(waits.endInterval()).containsEntry("rust", 300).containsEntry("go", 5);
        assertThat(waits.endInterval()).as("an interval without publishes").isEmpty();
    }
}
