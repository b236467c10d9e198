package io.spillway.broker.subscription;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class DeadLetterBreakerTest {
    private static final long WINDOW_MS = 60_000;

    private final DeadLetterBreaker breaker = new DeadLetterBreaker(50, 10, WINDOW_MS);

    @Test
    void judgesNothingBeforeThereAreEnoughOutcomes() {
        assertThat(breaker.admit(9, 0)).isEqualTo(9);

        assertThat(breaker.isTripped()).isFalse();
    }

    @Test
    void tripsAtTheRecordThatMakesTheShareTooLarge() {
        breaker.acked(10, 0);

        assertThat(breaker.admit(100, 1)).isEqualTo(11);

        assertThat(breaker.isTripped()).isTrue();
        assertThat(breaker.why()).isEqualTo("11 of 21 outcomes in 60 s were dead letters (limit 50 %)");
        assertThat(breaker.admit(1, 2)).isZero();
    }

    @Test
    void admitsAnyNumberAsLongAsAcksOutweighThem() {
        for (int i = 0; i < 1_000; i++) {
            breaker.acked(1, i);
            assertThat(breaker.admit(1, i)).isEqualTo(1);
        }

        assertThat(breaker.isTripped()).isFalse();
    }

    @Test
    void forgetsWhatLiesBeforeTheWindow() {
        breaker.acked(1_000, 0);
        breaker.admit(9, WINDOW_MS + 1_000);
        assertThat(breaker.isTripped()).isFalse();

        breaker.admit(1, WINDOW_MS + 1_000);

        assertThat(breaker.isTripped()).isTrue();
    }

    @Test
    void slidesSlotBySlot() {
        breaker.acked(10, 0);
        breaker.acked(10, 30_000);
        breaker.admit(20, 59_000);
        assertThat(breaker.isTripped()).isFalse();

        assertThat(breaker.admit(1, 61_000)).isEqualTo(1);

        assertThat(breaker.why()).startsWith("21 of 31 ");
    }

    @Test
    void beginsAnewWhenItIsCleared() {
        breaker.admit(10, 0);
        assertThat(breaker.isTripped()).isTrue();

        breaker.clear();

        assertThat(breaker.admit(9, 1)).isEqualTo(9);
        assertThat(breaker.isTripped()).isFalse();
    }

    @Test
    void neverTripsAtZeroPercent() {
        breaker.limits(0, 1, WINDOW_MS);

        assertThat(breaker.admit(1_000_000, 0)).isEqualTo(1_000_000);
    }

    @Test
    void countsOnWhenTheClockGoesBack() {
        breaker.admit(5, 30_000);
        breaker.admit(5, 10_000);

        assertThat(breaker.isTripped()).isTrue();
    }
}
