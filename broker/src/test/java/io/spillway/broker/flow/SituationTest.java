package io.spillway.broker.flow;

import static org.assertj.core.api.Assertions.assertThat;

import io.spillway.protocol.v1.PressureReason;
import io.spillway.protocol.v1.PressureState;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Which step of degradation a situation is. */
class SituationTest {
    private static final Situation WELL = new Situation(PressureSignal.NONE, "", "", "", "");

    private static Situation under(PressureState state) {
        PressureSignal signal = new PressureSignal(1, state, List.of(PressureReason.R_MEMORY), "domain:rust");
        return new Situation(signal, "", "", "", "");
    }

    @ParameterizedTest
    @CsvSource({
        "P_NORMAL, NORMAL, 0",
        "P_ELEVATED, ELEVATED, 1",
        "P_THROTTLED, THROTTLED, 2",
        "P_OVERLOADED, OVERLOADED, 3",
        "P_READ_ONLY, READ_ONLY, 5"
    })
    void pressureIsAStepAndSaysWhose(PressureState state, DegradationStep step, int number) {
        Situation.Stand stand = under(state).stand();

        assertThat(stand.step()).isEqualTo(step);
        assertThat(stand.step().number()).isEqualTo(number);
        assertThat(stand.why()).isEqualTo(state == PressureState.P_NORMAL ? "" : "MEMORY of domain:rust");
    }

    @Test
    void theWorstReasonDecides() {
        PressureSignal signal = under(PressureState.P_OVERLOADED).worst();

        assertThat(new Situation(signal, "q", "", "", "").stand())
                .isEqualTo(new Situation.Stand(DegradationStep.QUORUM_LOST, "q"));
        assertThat(new Situation(signal, "q", "r", "", "").stand())
                .isEqualTo(new Situation.Stand(DegradationStep.READ_ONLY, "r"));
        assertThat(new Situation(signal, "q", "r", "v", "").stand())
                .isEqualTo(new Situation.Stand(DegradationStep.RESERVE, "v"));
        assertThat(new Situation(signal, "q", "r", "v", "s").stand())
                .isEqualTo(new Situation.Stand(DegradationStep.SHUTTING_DOWN, "s"));
        assertThat(DegradationStep.SHUTTING_DOWN.number()).isEqualTo(7);
    }

    @Test
    void replaysWaitFromThrottledOn() {
        assertThat(WELL.holdsReplays()).isFalse();
        assertThat(under(PressureState.P_ELEVATED).holdsReplays()).isFalse();
        assertThat(under(PressureState.P_THROTTLED).holdsReplays()).isTrue();
        assertThat(under(PressureState.P_OVERLOADED).holdsReplays()).isTrue();
    }
}
