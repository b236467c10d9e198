package io.spillway.broker.flow;

import static org.assertj.core.api.Assertions.assertThat;

import io.spillway.protocol.v1.PressureReason;
import io.spillway.protocol.v1.PressureState;
import java.util.List;
import org.junit.jupiter.api.Test;

class PressuresTest {
    private final Pressures broker = Pressures.ofBroker();

    private void tick(int times, PressureReason reason, long value) {
        for (int i = 0; i < times; i++) {
            broker.tick(reason, value);
        }
    }

    @Test
    void theHighestSignalIsTheStateAndTheFirstReason() {
        tick(2, PressureReason.R_DISK_SPACE, 300);
        tick(2, PressureReason.R_REPLICATION, 600);

        assertThat(broker.state()).isEqualTo(PressureState.P_THROTTLED);
        assertThat(broker.reasons()).isEqualTo(List.of(PressureReason.R_REPLICATION, PressureReason.R_DISK_SPACE));
    }

    @Test
    void aDiskThatTakesNothingIsReadOnlyAtOnceAndNoLongerThanItIs() {
        broker.readOnly();
        assertThat(broker.state()).isEqualTo(PressureState.P_READ_ONLY);

        broker.writable(100);

        assertThat(broker.state()).isEqualTo(PressureState.P_OVERLOADED);
    }

    @Test
    void aStateShedsWhatMattersLeastFirst() {
        assertThat(sheds(PressureState.P_ELEVATED, 9)).isFalse();
        assertThat(sheds(PressureState.P_THROTTLED, 2)).isFalse();
        assertThat(sheds(PressureState.P_THROTTLED, 3)).isTrue();
        assertThat(sheds(PressureState.P_OVERLOADED, 1)).isFalse();
        assertThat(sheds(PressureState.P_OVERLOADED, 2)).isTrue();
        assertThat(sheds(PressureState.P_READ_ONLY, 3))
                .as("refused as READ_ONLY, whatever its class")
                .isFalse();
    }

    private static boolean sheds(PressureState state, int shedClass) {
        return new PressureSignal(1, state, List.of(PressureReason.R_MEMORY), PressureSignal.BROKER).sheds(shedClass);
    }
}
