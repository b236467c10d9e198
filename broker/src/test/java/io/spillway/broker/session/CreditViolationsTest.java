package io.spillway.broker.session;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** What becomes of a client that sends batches without credit. */
class CreditViolationsTest {
    private static final long SECOND = 1_000_000_000L;

    private final List<String> done = new ArrayList<>();
    private final CreditViolations violations =
            new CreditViolations(ms -> done.add("pause " + ms), () -> done.add("leave"));

    private void threeAt(long nowNs, int owedMs) {
        for (int i = 0; i < 3; i++) {
            violations.add(nowNs, owedMs);
        }
    }

    @Test
    void thirdWithinTenSecondsStopsReadingForAMoment() {
        violations.add(0, 0);
        violations.add(5 * SECOND, 0);
        assertThat(done).isEmpty();
        violations.add(10 * SECOND, 0);

        assertThat(done).containsExactly("pause 100");
    }

    @Test
    void fewerAreOnlyRefused() {
        for (int i = 0; i < 20; i++) {
            violations.add(i * 6 * SECOND, 0);
        }

        assertThat(done).isEmpty();
    }

    @Test
    void readingStopsForWhatIsOwedThoughForASecondAtMost() {
        threeAt(0, 400);
        new CreditViolations(ms -> done.add("pause " + ms), () -> {}).add(0, 5_000);
        CreditViolations other = new CreditViolations(ms -> done.add("pause " + ms), () -> {});
        for (int i = 0; i < 3; i++) {
            other.add(0, 5_000);
        }

        assertThat(done).containsExactly("pause 400", "pause 1000");
    }

    @Test
    void whoDoesItAgainHasToGo() {
        threeAt(0, 0);
        threeAt(SECOND / 20, 0);
        assertThat(done).as("what came before it could know").hasSize(1);
        threeAt(SECOND, 0);
        threeAt(2 * SECOND, 0);

        assertThat(done).containsExactly("pause 100", "leave");
    }

    @Test
    void aMinuteLaterItIsForgotten() {
        threeAt(0, 0);
        threeAt(62 * SECOND, 0);

        assertThat(done).containsExactly("pause 100", "pause 100");
    }
}
