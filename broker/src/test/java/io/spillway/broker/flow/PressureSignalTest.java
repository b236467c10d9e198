package io.spillway.broker.flow;

import static org.assertj.core.api.Assertions.assertThat;

import io.spillway.protocol.v1.PressureReason;
import io.spillway.protocol.v1.PressureState;
import java.util.List;
import org.junit.jupiter.api.Test;

/** What a broker that is under pressure refuses. */
class PressureSignalTest {
    private static PressureSignal of(PressureState state, PressureReason... reasons) {
        return new PressureSignal(1, state, List.of(reasons), PressureSignal.BROKER);
    }

    @Test
    void newConnectionsAreRefusedWhileItIsOverloadedUnlessTheDiskIsWhatFillsUp() {
        assertThat(of(PressureState.P_OVERLOADED, PressureReason.R_CPU).refusesConnections())
                .isTrue();
        assertThat(of(PressureState.P_OVERLOADED, PressureReason.R_MEMORY, PressureReason.R_QUEUE_DELAY)
                        .refusesConnections())
                .isTrue();
        assertThat(of(PressureState.P_OVERLOADED, PressureReason.R_CPU, PressureReason.R_DISK_SPACE)
                        .refusesConnections())
                .as("consumers may help to empty it")
                .isFalse();
        assertThat(of(PressureState.P_THROTTLED, PressureReason.R_CPU).refusesConnections())
                .isFalse();
        assertThat(of(PressureState.P_READ_ONLY, PressureReason.R_DISK_LATENCY).refusesConnections())
                .isFalse();
        assertThat(PressureSignal.NONE.refusesConnections()).isFalse();
    }
}
