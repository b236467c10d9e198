package io.spillway.broker.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.spillway.broker.cli.ClusterReport.Node;
import java.util.List;
import org.junit.jupiter.api.Test;

class ClusterAdviceTest {
    private static Node voter(String id, long lag, long contactMs) {
        return new Node(id, "zone-" + id, true, id.equals("n1"), id + ":7301", id + ":7400", lag, lag, contactMs);
    }

    private static ClusterReport report(String leader, Node... nodes) {
        return new ClusterReport(
                "spillway", "c1", "n2", 3, leader, 10, 10, "", "", "", "", List.of(), leader, List.of(nodes));
    }

    @Test
    void aWholeClusterNeedsNone() {
        assertThat(ClusterAdvice.of(report("n1", voter("n1", 0, 0), voter("n2", 1_000, 1_000), voter("n3", 0, 99))))
                .isEmpty();
    }

    @Test
    void aFollowerThatLacksMuchIsNamed() {
        assertThat(ClusterAdvice.of(report("n1", voter("n1", 0, 0), voter("n2", 0, 9), voter("n3", 1_001, 99))))
                .singleElement()
                .asString()
                .startsWith("slow: n3 in zone zone-n3 lacks 1001 entries; next: ");
    }

    @Test
    void aFollowerOutOfReachIsNamedAndSoIsWhatAnotherLossWouldDo() {
        assertThat(ClusterAdvice.of(report("n1", voter("n1", 0, 0), voter("n2", 0, 9), voter("n3", 0, 1_001))))
                .satisfiesExactly(
                        quorum -> assertThat(quorum)
                                .startsWith("2 of 3 voters are reached: the loss of one more voter stops the cluster"),
                        node -> assertThat(node)
                                .startsWith("slow: n3 in zone zone-n3 was last heard of 1.0 s ago")
                                .contains("n3:7301")
                                .endsWith("spillway cluster remove-node n3"));
    }

    @Test
    void aLeaderWithoutItsMajorityHasLostTheQuorum() {
        assertThat(ClusterAdvice.of(report("n1", voter("n1", 0, 0), voter("n2", 0, 5_000), voter("n3", 0, 5_000))))
                .first()
                .asString()
                .startsWith("the quorum is lost: leader n1 reaches 1 of 3 voters, itself among them, and 2 are needed");
    }

    @Test
    void withoutALeaderTheVotersToStartAreNamed() {
        long unknown = ClusterReport.UNKNOWN;

        assertThat(ClusterAdvice.of(report("", voter("n2", unknown, unknown), voter("n3", unknown, unknown))))
                .singleElement()
                .asString()
                .startsWith("no leader: the quorum is lost")
                .contains("2 of these 2 voters")
                .contains("n2 (zone zone-n2, n2:7301), n3 (zone zone-n3, n3:7301)")
                .contains("; next: ");
    }

    @Test
    void aNodeThatWaitsForAdmissionIsTold() {
        Node self = new Node("n2", "b", false, false, "n2:7301", "n2:7400", -1, -1, -1);

        assertThat(ClusterAdvice.of(report("", self)))
                .singleElement()
                .asString()
                .startsWith("n2 has not joined a cluster yet");
    }

    @Test
    void aNodeThatWasRemovedAndStartedAgainIsTold() {
        assertThat(ClusterAdvice.of(report("", voter("n1", -1, -1), voter("n3", -1, -1))))
                .singleElement()
                .asString()
                .startsWith("n2 is not in the cluster")
                .endsWith("spillway cluster add-node n2");
    }

    @Test
    void aNodeThatStoppedSaysWhyAndNothingElse() {
        ClusterReport stopped = new ClusterReport(
                "spillway",
                "c1",
                "n2",
                3,
                "",
                10,
                10,
                "its log cannot be written",
                "free its disk",
                "",
                "",
                List.of(),
                "",
                List.of(voter("n1", -1, -1)));

        assertThat(ClusterAdvice.of(stopped))
                .singleElement()
                .asString()
                .startsWith("n2 takes no part any more")
                .contains("its log cannot be written", "next: free its disk; ask another node");
    }

    @Test
    void oneOrTwoVotersAreTooFew() {
        assertThat(ClusterAdvice.of(report("n1", voter("n1", 0, 0))))
                .singleElement()
                .asString()
                .startsWith("one voter");
        assertThat(ClusterAdvice.of(report("n1", voter("n1", 0, 0), voter("n2", 0, 9))))
                .singleElement()
                .asString()
                .startsWith("the loss of one more voter stops the cluster");
    }

    @Test
    void aZoneWhoseLossStopsTheClusterIsKnown() {
        ClusterReport report = report("n1", voter("n1", 0, 0), voter("n2", 0, 9), voter("n3", 0, 5_000));

        assertThat(report.outlives("zone-n3")).isTrue();
        assertThat(report.outlives("zone-n2")).isFalse();
    }
}
