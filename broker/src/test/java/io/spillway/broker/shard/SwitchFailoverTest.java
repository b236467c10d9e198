package io.spillway.broker.shard;

import static org.assertj.core.api.Assertions.assertThat;

import io.spillway.broker.catalog.Switches;
import io.spillway.broker.catalog.TopicSpec;
import io.spillway.broker.toggles.KnownToggles;
import io.spillway.broker.toggles.Toggle;
import io.spillway.broker.toggles.ToggleScope;
import io.spillway.broker.toggles.ToggleSetting;
import java.nio.file.Path;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What an operator switches and toggles is the cluster's, not its leader's. */
class SwitchFailoverTest {
    @TempDir(factory = MemoryDirectory.class)
    Path directory;

    @Test
    void whatAnOperatorSwitchedHoldsAtTheNextLeaderAndAtAllNodes() {
        SimulatedCluster cluster = new SimulatedCluster(directory, new Random(2));
        cluster.elect(0);
        cluster.settle();
        AgreedNode leader = Objects.requireNonNull(cluster.leader(), "a leader");
        leader.mailbox.offer(new ShardCommand.CreateTopic("orders", 1, Map.of(), new SteppedShard.Answer<>()));
        cluster.settle();
        SteppedShard.Answer<TopicSpec> paused = new SteppedShard.Answer<>();
        leader.mailbox.offer(new ShardCommand.SwitchTopic(
                "orders",
                (before, why, nowMs) -> before.paused(true, true, true, why, nowMs),
                0,
                "maintenance",
                paused));
        SteppedShard.Answer<ToggleChange.Done> toggled = new SteppedShard.Answer<>();
        ToggleSetting off = new ToggleSetting("off", 5_000, ToggleScope.ALL, 0);
        leader.mailbox.offer(new ShardCommand.ChangeToggle(
                ToggleChange.set(KnownToggles.DISPATCH_WEIGHTED, null, off, 0, new Toggle.Why("t", "r", ""))
                        .revertAfter(60_000),
                toggled));
        cluster.settle();
        assertThat(paused.result().switches().publishPaused()).isTrue();
        long revertAtMs = toggled.result().revertAtMs();

        cluster.kill(0);
        cluster.elect(1);
        cluster.settle();
        cluster.start(0);
        cluster.settle();

        for (AgreedNode node : cluster.nodes) {
            Switches switches = node.state.catalog.get().get("orders").switches();
            assertThat(switches.publishPaused()).as("node %d", node.id).isTrue();
            assertThat(switches.dispatchPaused()).as("node %d", node.id).isTrue();
            Toggle toggle = Objects.requireNonNull(node.state.operators.toggles.find(KnownToggles.DISPATCH_WEIGHTED));
            assertThat(toggle.setting()).as("node %d", node.id).isEqualTo(off);
            assertThat(toggle.revertAtMs()).isEqualTo(revertAtMs);
        }
        cluster.close();
    }
}
