package io.spillway.broker.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import io.spillway.broker.cluster.Diagnosis.Start;
import io.spillway.broker.records.Agreed;
import io.spillway.broker.replication.Peer;
import io.spillway.broker.replication.RaftDirectory;
import java.util.List;
import org.junit.jupiter.api.Test;

/** How a node comes back with what is in its directory. */
class DiagnosisTest {
    private static final List<Peer> OTHERS = List.of(new Peer("n2", "b", "10.0.0.2:7301", "10.0.0.2:7400"));
    private static final RaftDirectory.Found NONE = new RaftDirectory.Found(false, "", -1, -1, List.of());

    private static RaftDirectory.Found raft(long first, long last) {
        return new RaftDirectory.Found(true, "", first, last, OTHERS);
    }

    private static Agreed agreed(long index) {
        return Agreed.newBuilder().setTerm(1).setIndex(index).build();
    }

    private static Diagnosis of(RaftDirectory.Found raft, long agreed, String... losses) {
        return Diagnosis.of(raft, agreed(agreed), false, List.of(losses), true);
    }

    @Test
    void aNodeThatLacksNothingComesBackAsItIs() {
        assertThat(of(raft(0, 100), 90).start()).isEqualTo(Start.AS_IT_IS);
        assertThat(of(raft(50, 100), 49).start()).isEqualTo(Start.AS_IT_IS);
        assertThat(of(raft(-1, -1), 90).start()).isEqualTo(Start.AS_IT_IS);
    }

    @Test
    void theFirstNodeFormsACluster() {
        assertThat(Diagnosis.of(NONE, agreed(-1), false, List.of(), false).start())
                .isEqualTo(Start.AS_IT_IS);
    }

    /** It may be a voter that lost its disk, for all that anybody knows. */
    @Test
    void anEmptyNodeIsForgottenFirst() {
        Diagnosis found = of(NONE, -1);

        assertThat(found.start()).isEqualTo(Start.AS_A_NEW_NODE);
        assertThat(found.isLoss()).isFalse();
    }

    @Test
    void aDamagedLogIsFetchedAndTheVoteIsKept() {
        Diagnosis found = of(raft(50, 100), 90, "CORRUPT_BATCH: the batch of partition 1");

        assertThat(found.start()).isEqualTo(Start.WITH_A_COPY);
        assertThat(found.isLogLost()).isTrue();
        assertThat(found.isVoteLost()).isFalse();
        assertThat(found.reason()).isEqualTo("CORRUPT_BATCH");
    }

    @Test
    void aLogThatDoesNotReachTheClustersLogIsFetched() {
        assertThat(of(raft(50, 100), 48).start()).isEqualTo(Start.WITH_A_COPY);
        assertThat(of(raft(50, 100), -1).start()).isEqualTo(Start.WITH_A_COPY);
        assertThat(of(raft(-1, -1), -1).start()).isEqualTo(Start.WITH_A_COPY);
        assertThat(of(raft(50, 100), -1).isLogLost())
                .as("nothing is there to keep")
                .isFalse();
    }

    @Test
    void aLogThatIsGoneComesFromTheClustersLogWhenThatIsWhole() {
        assertThat(of(raft(0, 100), -1).start()).isEqualTo(Start.AS_IT_IS);
    }

    @Test
    void whoLostWhatItPromisedIsANewNode() {
        assertThat(of(NONE, 90).start()).isEqualTo(Start.AS_A_NEW_NODE);
        assertThat(of(new RaftDirectory.Found(true, "raft-meta is missing", -1, -1, OTHERS), 90)
                        .start())
                .isEqualTo(Start.AS_A_NEW_NODE);
        assertThat(of(raft(50, 80), 90).start()).isEqualTo(Start.AS_A_NEW_NODE);
    }

    /** An install reached further than the cluster's log here, and the node ended before Ratis heard of it. */
    @Test
    void aLogThatCameFromElsewhereMayBeAhead() {
        assertThat(Diagnosis.of(raft(50, 80), agreed(90), true, List.of(), true).start())
                .isEqualTo(Start.AS_IT_IS);
    }

    @Test
    void aMemberThatKnowsNobodyDoesNotFormASecondCluster() {
        assertThat(Diagnosis.of(NONE, agreed(90), false, List.of(), false).start())
                .isEqualTo(Start.AS_A_NEW_NODE);
    }
}
