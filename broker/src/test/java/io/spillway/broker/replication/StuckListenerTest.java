package io.spillway.broker.replication;

import static io.spillway.broker.replication.TestCluster.awaiting;

import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class StuckListenerTest {
    @TempDir
    Path dir;

    /** Neither node can be elected without the other one's vote, and the new one does not give its before a new start. */
    @Test
    void aNodeThatWasCutOffBetweenTheConfigurationsSaysThatItMustStartAgainAndThenVotes() throws Exception {
        try (TestCluster cluster = new TestCluster(dir)) {
            cluster.start("n1", "a");
            cluster.awaitLeader();
            AtomicBoolean isCut = new AtomicBoolean();
            RaftNode joining = cluster.start("n2", "b");
            // The joint configuration is there, and is not acknowledged yet.
            cluster.replica("n2").onSync(() -> {
                if (isVoter(joining, "n2") && isCut.compareAndSet(false, true)) {
                    cluster.replica("n2").cut(true);
                }
            });
            awaiting("the cut").until(isCut::get);
            awaiting("the end of the leadership")
                    .until(() -> !cluster.replica("n1").isLeading());

            cluster.replica("n2").onSync(() -> {});
            cluster.replica("n2").cut(false);
            awaiting("the insight").until(joining::mustStartAgain);
            cluster.close("n2");
            cluster.replica("n2").crash();
            cluster.restart("n2");

            cluster.awaitVoters("n1", "n2");
            List<String> texts = cluster.propose("a", 10);
            cluster.awaitTexts(texts);
        }
    }

    private static boolean isVoter(RaftNode node, String id) {
        return node.status().nodes().stream()
                .anyMatch(member -> member.peer().id().equals(id) && member.role() == ClusterStatus.Role.VOTER);
    }
}
