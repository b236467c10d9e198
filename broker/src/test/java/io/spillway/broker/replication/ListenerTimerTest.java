package io.spillway.broker.replication;

import static io.spillway.broker.replication.TestCluster.awaiting;
import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A listener with a timer may never become a voter; one without has to have one again then. */
class ListenerTimerTest {
    @TempDir
    Path dir;

    @Test
    void aListenerHasNoElectionTimerAndAVoterHasOne() throws Exception {
        try (TestCluster cluster = new TestCluster(dir)) {
            cluster.start("n1", "a");
            cluster.start("n2", "a");
            cluster.awaitListeners("n2");
            awaiting("the end of the listener's timer").until(() -> timers("n2").isEmpty());

            TestCluster.get(cluster.node("n1").promote("n2", Origin.BROKER));

            cluster.awaitVoters("n1", "n2");
            awaiting("the voter's timer").until(() -> timers("n2").size() == 1);
            List<String> texts = cluster.propose("a", 10);
            cluster.awaitTexts(texts);
            assertThat(cluster.awaitLeader()).isEqualTo("n1");
        }
    }

    private static List<String> timers(String node) {
        return Thread.getAllStackTraces().keySet().stream()
                .map(Thread::getName)
                .filter(name -> name.startsWith(node + "@") && name.endsWith("-FollowerState"))
                .toList();
    }
}
