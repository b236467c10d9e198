package io.spillway.broker.admin;

import static org.assertj.core.api.Assertions.assertThat;

import io.spillway.broker.base.Clock;
import io.spillway.broker.catalog.TopicCatalog;
import io.spillway.broker.diagnose.Cause;
import io.spillway.broker.diagnose.Diagnosis;
import io.spillway.broker.diagnose.NodeFacts;
import io.spillway.broker.diagnose.NodeFacts.Trouble;
import io.spillway.broker.diagnose.Surroundings;
import io.spillway.broker.shard.Mailbox;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What is said when those who know do not answer. */
@Timeout(30)
final class DiagnosesTest {
    private static Diagnoses with(@Nullable ClusterControl cluster, List<Trouble> troubles, Mailbox... shards) {
        NodeFacts node =
                new NodeFacts("n1", "", "", troubles, List.of(), 0, List.of(), List.of(), Surroundings.NO_CLASS);
        Observed observed = new Observed(() -> node, List.of(shards), () -> TopicCatalog.EMPTY, Clock.SYSTEM);
        return new Diagnoses(TestOperated.observed(cluster, observed));
    }

    @Test
    void aShardThatDoesNotAnswerIsNamed() throws Exception {
        List<Diagnosis> all = with(null, List.of(), new Mailbox()).all().get(20, TimeUnit.SECONDS);

        assertThat(all).extracting(Diagnosis::cause).containsExactly(Cause.SHARD_SILENT);
        assertThat(all.get(0).why()).isEqualTo("shard 0 did not answer within 2000 ms");
        assertThat(all.get(0).next()).contains("jcmd");
    }

    @Test
    void aNodeThatIsStoppedIsNotAskedForItsGroups() throws Exception {
        Trouble failed = new Trouble(Cause.SHARD_FAILED, "shard-0", "a bug", "restart the broker");

        List<Diagnosis> all = with(null, List.of(failed), new Mailbox()).all().get(1, TimeUnit.SECONDS);

        assertThat(all).extracting(Diagnosis::cause).containsExactly(Cause.SHARD_FAILED);
    }

    @Test
    void aClusterIsTakenAsItsLeaderSeesIt() throws Exception {
        FakeCluster cluster = new FakeCluster("n2", "n1");

        List<Diagnosis> all = with(cluster, List.of()).cluster().get(1, TimeUnit.SECONDS);

        assertThat(all).isNotEmpty().allSatisfy(each -> assertThat(each.about()).hasToString("the cluster"));
    }
}
