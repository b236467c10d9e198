package io.spillway.broker.diagnose;

import static org.assertj.core.api.Assertions.assertThat;

import io.spillway.broker.diagnose.ClusterFacts.Node;
import java.util.List;
import org.junit.jupiter.api.Test;

final class ClusterDecisionTest {
    private static Node leader() {
        return new Node("n1", "a", true, true, "10.0.0.1:7301", 0, 0, 0);
    }

    private static Node voter(String id, String zone, long lag, long lagMs, long contactMs) {
        return new Node(id, zone, true, false, "10.0.0.9:7301", lag, lagMs, contactMs);
    }

    private static List<Diagnosis> of(Node... nodes) {
        return ClusterDecision.of(new ClusterFacts("n1", true, List.of(nodes)));
    }

    @Test
    void aClusterThatReachesAllIsWell() {
        List<Diagnosis> all = of(leader(), voter("n2", "b", 0, 0, 100), voter("n3", "c", 3, 20, 100));

        assertThat(all).extracting(Diagnosis::cause).containsExactly(Cause.WELL);
        assertThat(all.get(0).why()).isEqualTo("all of 3 voters are reached by n1");
    }

    @Test
    void oneVoterAwayIsCriticalAndNamed() {
        List<Diagnosis> all = of(leader(), voter("n2", "b", 0, 0, 100), voter("n3", "c", 9, 9_000, 9_400));

        assertThat(all).extracting(Diagnosis::cause).containsExactly(Cause.QUORUM_CRITICAL, Cause.NODE_AWAY);
        assertThat(all.get(0).why()).isEqualTo("n1 reaches 2 of 3 voters, itself among them, and 2 are needed");
        assertThat(all.get(1).why()).isEqualTo("n3 in zone c was last heard of 9400 ms ago (limit 1000 ms)");
        assertThat(all.get(1).next()).contains("spillway cluster remove-node n3");
    }

    @Test
    void twoVotersAwayAreTheEndOfTheQuorum() {
        assertThat(of(leader(), voter("n2", "b", 0, 0, ClusterFacts.UNKNOWN), voter("n3", "c", 0, 0, 5_000)))
                .extracting(Diagnosis::cause)
                .containsExactly(Cause.NO_QUORUM, Cause.NODE_AWAY, Cause.NODE_AWAY);
    }

    @Test
    void aNodeThatLacksMuchOrForLongIsSlow() {
        assertThat(of(leader(), voter("n2", "b", 5_000, 20, 100), voter("n3", "c", 3, 12_000, 100)))
                .extracting(Diagnosis::why)
                .containsExactly(
                        "n2 in zone b lacks 5000 entries (limit 1000)",
                        "n3 in zone c has lacked something for 12000 ms (limit 10000 ms)");
    }

    @Test
    void withoutALeaderOrItsFiguresThatIsWhatIsSaid() {
        List<Node> nodes = List.of(leader(), voter("n2", "b", -1, -1, -1), voter("n3", "c", -1, -1, -1));

        assertThat(ClusterDecision.of(new ClusterFacts("", false, nodes)))
                .extracting(Diagnosis::cause)
                .containsExactly(Cause.NO_LEADER);
        assertThat(ClusterDecision.of(new ClusterFacts("n1", false, nodes)))
                .extracting(Diagnosis::cause)
                .containsExactly(Cause.NOT_LEADER);
    }
}
