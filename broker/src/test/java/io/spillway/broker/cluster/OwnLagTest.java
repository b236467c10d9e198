package io.spillway.broker.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import io.spillway.broker.replication.ClusterStatus;
import io.spillway.broker.replication.Peer;
import java.util.List;
import org.junit.jupiter.api.Test;

class OwnLagTest {
    private static final Peer SELF = new Peer("n2", "b", "h:1", "h:2");
    private final OwnLag lag = new OwnLag();

    private static ClusterStatus status(long ownLagMs) {
        return new ClusterStatus(
                "c",
                "",
                "n2",
                1,
                9,
                9,
                9,
                null,
                List.of(new ClusterStatus.Node(SELF, ClusterStatus.Role.VOTER, false, 9, 0, ownLagMs, 0)));
    }

    @Test
    void beforeItHasHadAllOnceItIsNotFit() {
        assertThat(lag.lookMs(status(0), ClusterStatus.UNKNOWN, 5, 5, 1_000)).isEqualTo(Long.MAX_VALUE);
        assertThat(lag.lookMs(status(0), 10, 5, 5, 1_200)).isEqualTo(10);
    }

    @Test
    void whatItLacksCountsFromWhenThatWasAgreedOn() {
        lag.lookMs(status(0), 0, 5, 5, 1_000);

        assertThat(lag.lookMs(status(700), 50, 6, 6, 1_200)).isEqualTo(700);
    }

    @Test
    void withoutALeaderItCannotKnowAndTheTimeCounts() {
        lag.lookMs(status(0), 0, 5, 5, 1_000);
        lag.lookMs(status(0), 20, 5, 5, 1_200);

        assertThat(lag.lookMs(status(0), ClusterStatus.UNKNOWN, 5, 5, 6_200)).isEqualTo(5_020);
    }

    @Test
    void aShardThatTakesUpNothingIsBehindWhateverItWasHanded() {
        lag.lookMs(status(0), 0, 5, 5, 1_000);
        lag.lookMs(status(0), 0, 8, 5, 1_200);

        assertThat(lag.lookMs(status(0), 0, 9, 5, 3_200)).isEqualTo(2_000);
        assertThat(lag.lookMs(status(0), 0, 9, 9, 3_400)).isZero();
    }
}
