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
    void aReadingThatIsLookedAtTwiceIsOneAndEndsInTime() {
        broker.tick(PressureReason.R_REPLICATION, 600);
        broker.tickWithout(PressureReason.R_REPLICATION);
        assertThat(broker.state()).isEqualTo(PressureState.P_NORMAL);

        broker.tick(PressureReason.R_REPLICATION, 600);
        assertThat(broker.state()).isEqualTo(PressureState.P_THROTTLED);

        broker.tick(PressureReason.R_REPLICATION, 0);
        for (int i = 1; i < PressureLevel.DOWN_TICKS; i++) {
            assertThat(broker.state()).as("after %d ticks", i).isEqualTo(PressureState.P_THROTTLED);
            broker.tickWithout(PressureReason.R_REPLICATION);
        }
        assertThat(broker.state()).isEqualTo(PressureState.P_ELEVATED);
    }

    @Test
    void aDiskThatTakesNothingIsReadOnlyAtOnceAndNoLongerThanItIs() {
        broker.readOnly();
        assertThat(broker.state()).isEqualTo(PressureState.P_READ_ONLY);

        broker.writable(100);

        assertThat(broker.state()).isEqualTo(PressureState.P_OVERLOADED);
    }

    @Test
    void aThreadThatIsBusyAndKeepsUpIsNoPressure() {
        assertThat(Pressures.busy(1_000, 49)).isZero();
        assertThat(Pressures.busy(700, 60)).isEqualTo(700);
        assertThat(Pressures.busy(1_000, 199))
                .as("no higher level than the wait itself")
                .isLessThan(950);
        assertThat(Pressures.busy(1_000, 200)).isEqualTo(1_000);
    }

    @Test
    void aBusyThreadIsNamedAsAReasonForTheWait() {
        Pressures domain = Pressures.ofDomain();
        for (int i = 0; i < 2; i++) {
            domain.tick(PressureReason.R_QUEUE_DELAY, 250);
            domain.tick(PressureReason.R_CPU, Pressures.busy(970, 250));
        }

        assertThat(domain.state()).isEqualTo(PressureState.P_THROTTLED);
        assertThat(domain.reasons()).containsExactly(PressureReason.R_QUEUE_DELAY, PressureReason.R_CPU);
    }

    @Test
    void followersThatLagForASecondOrFiveArePressure() {
        Pressures broker = Pressures.ofBroker();
        for (int i = 0; i < 2; i++) {
            broker.tick(PressureReason.R_REPLICATION, Pressures.lag(0, 1_000));
        }
        assertThat(broker.state()).isEqualTo(PressureState.P_ELEVATED);
        for (int i = 0; i < 2; i++) {
            broker.tick(PressureReason.R_REPLICATION, Pressures.lag(0, 5_000));
        }

        assertThat(broker.state()).isEqualTo(PressureState.P_THROTTLED);
        assertThat(Pressures.lag(120, 0)).isEqualTo(120);
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
