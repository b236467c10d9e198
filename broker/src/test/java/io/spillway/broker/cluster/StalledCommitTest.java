package io.spillway.broker.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import io.spillway.broker.replication.ClusterStatus;
import io.spillway.broker.replication.Peer;
import java.util.List;
import org.junit.jupiter.api.Test;

class StalledCommitTest {
    private static final Peer N1 = new Peer("n1", "a", "h:1", "h:2");
    private static final Peer N2 = new Peer("n2", "b", "h:3", "h:4");

    private final StalledCommit stalled = new StalledCommit();

    private boolean lookOften(Peer leader, long last, long commit) {
        boolean result = false;
        for (int i = 0; i <= StalledCommit.PATIENCE_LOOKS; i++) {
            result = stalled.look(status(leader, last, commit));
        }
        return result;
    }

    private static ClusterStatus status(Peer leader, long last, long commit) {
        return new ClusterStatus("c", "", "n1", 1, last, commit, commit, leader, List.of());
    }

    @Test
    void aLeaderWhoseEntriesWaitForLongStalls() {
        assertThat(lookOften(N1, 11, 10)).isTrue();
    }

    @Test
    void itDoesNotAtTheFirstLooks() {
        assertThat(stalled.look(status(N1, 11, 10))).isFalse();
        assertThat(stalled.look(status(N1, 12, 10))).isFalse();
    }

    @Test
    void itDoesNotAnyMoreOnceSomethingIsAgreedOn() {
        lookOften(N1, 11, 10);

        assertThat(stalled.look(status(N1, 12, 11))).isFalse();
    }

    @Test
    void aLeaderWithNothingToAgreeOnDoesNotStall() {
        assertThat(lookOften(N1, 10, 10)).isFalse();
    }

    @Test
    void aFollowerDoesNotStall() {
        assertThat(lookOften(N2, 11, 10)).isFalse();
    }
}
