package io.spillway.broker.session;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.spillway.broker.base.SpillwayException;
import io.spillway.broker.flow.PressureSignal;
import io.spillway.protocol.v1.PressureReason;
import io.spillway.protocol.v1.PressureState;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** What is refused because it makes work and can wait. */
class RestraintTest {
    private static Restraint under(PressureState state, PressureReason reason) {
        PressureSignal signal = new PressureSignal(1, state, List.of(reason), "domain:go");
        return new Restraint(() -> signal, new Random(1));
    }

    @Test
    void itIsRefusedAtThrottledAndOverloadedWithWhyAndWhen() {
        SpillwayException throttled = catchThrowableOfType(
                SpillwayException.class,
                () -> under(PressureState.P_THROTTLED, PressureReason.R_MEMORY).require("moving group billing"));

        assertThat(throttled.code().name()).isEqualTo("THROTTLED");
        assertThat(throttled).hasMessageContaining("moving group billing");
        assertThat(throttled.retryAfterMs()).isBetween(2_000, 2_500);
        assertThat(throttled.metadata()).containsEntry("reason", "MEMORY").containsEntry("scope", "domain:go");
        SpillwayException overloaded = catchThrowableOfType(
                SpillwayException.class,
                () -> under(PressureState.P_OVERLOADED, PressureReason.R_MEMORY).require("a"));
        assertThat(overloaded.code().name()).isEqualTo("OVERLOADED");
        assertThat(overloaded.retryAfterMs()).isBetween(4_000, 5_000);
    }

    @ParameterizedTest
    @EnumSource(
            value = PressureState.class,
            names = {"P_NORMAL", "P_ELEVATED", "P_READ_ONLY"})
    void itIsNotRefusedOtherwise(PressureState state) {
        assertThat(under(state, PressureReason.R_DISK_SPACE).refusal("a")).isNull();
    }

    @Test
    void aDiskThatFillsUpIsNoReason() {
        assertThat(under(PressureState.P_THROTTLED, PressureReason.R_DISK_SPACE).refusal("a"))
                .isNull();
        assertThat(under(PressureState.P_OVERLOADED, PressureReason.R_DISK_SPACE)
                        .refusal("a"))
                .isNull();
    }
}
