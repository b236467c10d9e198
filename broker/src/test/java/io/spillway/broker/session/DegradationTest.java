package io.spillway.broker.session;

import static org.assertj.core.api.Assertions.assertThat;

import io.spillway.broker.base.Clock;
import io.spillway.broker.flow.DegradationStep;
import io.spillway.broker.flow.PressureSignal;
import io.spillway.broker.flow.Situation;
import io.spillway.protocol.v1.PressureReason;
import io.spillway.protocol.v1.PressureState;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Every step of degradation is entered, seen, and left again. */
class DegradationTest {
    private static final Situation WELL = new Situation(PressureSignal.NONE, "", "", "", "");

    private Situation situation = WELL;
    private long nowMs = 1_000;
    private final List<Boolean> held = new ArrayList<>();
    private final Degradation ladder = new Degradation(() -> situation, held::add, new Clock() {
        @Override
        public long nowMs() {
            return nowMs;
        }

        @Override
        public long nanoTime() {
            return nowMs * 1_000_000;
        }
    });

    private static Situation under(PressureState state) {
        PressureSignal signal =
                new PressureSignal(1, state, List.of(PressureReason.R_DISK_LATENCY), PressureSignal.BROKER);
        return new Situation(signal, "", "", "", "");
    }

    static Stream<Arguments> steps() {
        return Stream.of(
                Arguments.of(DegradationStep.ELEVATED, under(PressureState.P_ELEVATED)),
                Arguments.of(DegradationStep.THROTTLED, under(PressureState.P_THROTTLED)),
                Arguments.of(DegradationStep.OVERLOADED, under(PressureState.P_OVERLOADED)),
                Arguments.of(DegradationStep.QUORUM_LOST, new Situation(PressureSignal.NONE, "away", "", "", "")),
                Arguments.of(DegradationStep.READ_ONLY, new Situation(PressureSignal.NONE, "", "full", "", "")),
                Arguments.of(DegradationStep.RESERVE, new Situation(PressureSignal.NONE, "", "full", "fuller", "")),
                Arguments.of(DegradationStep.SHUTTING_DOWN, new Situation(PressureSignal.NONE, "", "", "", "asked")));
    }

    @ParameterizedTest
    @MethodSource("steps")
    void aStepIsEnteredSeenAndLeft(DegradationStep step, Situation cause) {
        ladder.tick();
        assertThat(ladder.view()).isEqualTo(new Degradation.View(DegradationStep.NORMAL, "", 1_000));

        nowMs = 2_000;
        situation = cause;
        ladder.tick();
        assertThat(ladder.view().step()).isEqualTo(step);
        assertThat(ladder.view().why()).isNotEmpty();
        assertThat(ladder.view().sinceMs()).isEqualTo(2_000);
        assertThat(step.lacks()).isNotEmpty();
        assertThat(step.next()).isNotEmpty();

        nowMs = 3_000;
        ladder.tick();
        assertThat(ladder.view().sinceMs()).as("it has not changed").isEqualTo(2_000);

        situation = WELL;
        ladder.tick();
        assertThat(ladder.view()).isEqualTo(new Degradation.View(DegradationStep.NORMAL, "", 3_000));
    }

    @Test
    void replaysAreHeldOnceAndLetGoOnce() {
        for (PressureState state : List.of(
                PressureState.P_ELEVATED,
                PressureState.P_THROTTLED,
                PressureState.P_OVERLOADED,
                PressureState.P_THROTTLED,
                PressureState.P_ELEVATED)) {
            situation = under(state);
            ladder.tick();
            ladder.tick();
        }

        assertThat(held).containsExactly(true, false);
    }
}
