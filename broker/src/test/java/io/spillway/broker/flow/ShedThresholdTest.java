package io.spillway.broker.flow;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.HashMap;
import java.util.Map;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What is let in while a queue is too long. */
class ShedThresholdTest {
    private static final int PRINCIPALS = 200;

    private final ShedThreshold threshold = new ShedThreshold();
    private final Map<String, Integer> admitted = new HashMap<>();
    private final Map<String, Integer> came = new HashMap<>();
    private long nowMs = 1_700_000_000_000L;

    /** A second of publishes of two classes; how many were admitted. */
    private int second(SplittableRandom random, boolean tooLong) {
        int taken = 0;
        admitted.clear();
        came.clear();
        for (int i = 0; i < 1_000; i++) {
            int shedClass = 2 + random.nextInt(2);
            String principal = "p" + random.nextInt(PRINCIPALS);
            String who = shedClass + principal;
            came.merge(who, 1, Integer::sum);
            if (threshold.admits(shedClass, principal, nowMs)) {
                admitted.merge(who, 1, Integer::sum);
                taken++;
            }
        }
        nowMs += ShedThreshold.PERIOD_MS;
        threshold.endPeriod(tooLong, nowMs);
        return taken;
    }

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3})
    void eachPeriodLetsATwentiethLessInAndTheLeastImportantGoesFirst(long seed) {
        SplittableRandom random = new SplittableRandom(seed);
        int before = second(random, true);
        assertThat(before).isEqualTo(1_000);
        for (int period = 0; period < 8; period++) {
            int now = second(random, true);
            assertThat(now).as("seed %d", seed).isBetween(before - 130, before);
            before = now;
        }

        assertThat(before).as("seed %d", seed).isBetween(500, 700);
        came.forEach((who, publishes) -> {
            if (who.startsWith("2")) {
                assertThat(admitted).as("seed %d", seed).containsEntry(who, publishes);
            }
        });
    }

    @Test
    void aPrincipalGoesWholeOrNotAtAll() {
        SplittableRandom random = new SplittableRandom(4);
        for (int period = 0; period < 6; period++) {
            second(random, true);
        }
        second(random, true);

        came.forEach((who, publishes) ->
                assertThat(admitted.getOrDefault(who, 0)).as(who).isIn(0, publishes));
        assertThat(admitted).hasSizeBetween(came.size() / 2, came.size() - 20);
    }

    @Test
    void whenTheQueueIsShortAgainAHundredthMoreIsLetInUntilAllIs() {
        SplittableRandom random = new SplittableRandom(5);
        for (int period = 0; period < 5; period++) {
            second(random, true);
        }
        int before = second(random, false);
        int after = second(random, false);
        assertThat(after).isBetween(before - 60, before + 80);
        int periods = 0;
        while (!threshold.isOpen()) {
            second(random, false);
            periods++;
        }

        assertThat(periods).isBetween(10, 40);
        assertThat(second(random, false)).isEqualTo(1_000);
    }

    @Test
    void whatMattersMostOfAllThatComesIsAlwaysLetIn() {
        for (int period = 0; period < 200; period++) {
            assertThat(threshold.admits(3, "only", nowMs)).isTrue();
            threshold.endPeriod(true, nowMs);
        }
    }

    @Test
    void class0IsNeverShut() {
        SplittableRandom random = new SplittableRandom(6);
        for (int period = 0; period < 100; period++) {
            second(random, true);
        }

        assertThat(threshold.admits(0, "anybody", nowMs)).isTrue();
        assertThat(threshold.admits(3, "anybody", nowMs)).isFalse();
    }

    @Test
    void whoGoesFirstChangesEachHour() {
        int same = 0;
        for (int i = 0; i < PRINCIPALS; i++) {
            int now = ShedThreshold.priority(2, "p" + i, nowMs);
            same += now == ShedThreshold.priority(2, "p" + i, nowMs + 3_600_000) ? 1 : 0;
            assertThat(ShedThreshold.priority(2, "p" + i, nowMs / 3_600_000 * 3_600_000))
                    .isEqualTo(now);
        }

        assertThat(same).isLessThan(PRINCIPALS / 10);
    }

    @Test
    void aPeriodEndsWithEnoughPublishesOrEnoughTime() {
        threshold.endPeriod(false, nowMs);
        assertThat(threshold.isPeriodOver(nowMs + ShedThreshold.PERIOD_MS - 1)).isFalse();
        assertThat(threshold.isPeriodOver(nowMs + ShedThreshold.PERIOD_MS)).isTrue();
        for (int i = 0; i < ShedThreshold.PERIOD_PUBLISHES; i++) {
            threshold.admits(2, "p", nowMs);
        }

        assertThat(threshold.isPeriodOver(nowMs)).isTrue();
    }
}
