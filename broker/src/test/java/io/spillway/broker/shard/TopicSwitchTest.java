package io.spillway.broker.shard;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.spillway.broker.base.SpillwayException;
import io.spillway.broker.catalog.Switches;
import io.spillway.broker.catalog.TopicSpec;
import io.spillway.protocol.v1.AckItem;
import io.spillway.protocol.v1.Start;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What an operator switches at a topic. */
class TopicSwitchTest {
    private static final String TOPIC = "orders";

    @TempDir
    Path directory;

    private ShardFixture shard;

    @BeforeEach
    void open() {
        shard = new ShardFixture(directory.resolve("shard"));
        shard.createTopic(TOPIC, Map.of());
    }

    @AfterEach
    void close() {
        shard.close();
    }

    private void change(ShardCommand.TopicSwitch change) {
        shard.ask((Reply<TopicSpec> reply) -> new ShardCommand.SwitchTopic(TOPIC, change, 0, "maintenance", reply));
    }

    private void paused(boolean publish, boolean dispatch, boolean now) {
        change((before, why, nowMs) -> before.paused(publish, dispatch, now, why, nowMs));
    }

    private Switches switches() {
        return shard.state().catalog.get().get(TOPIC).switches();
    }

    @Test
    void publishesToAPausedTopicAreRefusedWithTheReasonUntilItIsResumed() {
        paused(true, false, true);

        assertThatThrownBy(() -> shard.publish(TOPIC, "a")).isInstanceOfSatisfying(SpillwayException.class, refused -> {
            assertThat(refused.code().name()).isEqualTo("THROTTLED");
            assertThat(refused.retryAfterMs()).isPositive();
            assertThat(refused.metadata()).containsEntry("reason", "ADMIN").containsEntry("scope", "topic:" + TOPIC);
            assertThat(refused.why()).contains("maintenance");
        });

        paused(true, false, false);
        shard.publish(TOPIC, "a");
    }

    @Test
    void whileDispatchIsPausedAConsumerKeepsWhatItHoldsAndGetsNothingNew() {
        TestMember member = shard.join(TOPIC, "billing", Map.of());
        shard.publish(TOPIC, "held");
        shard.until(() -> member.received.size() == 1, "the first record");
        paused(false, true, true);
        shard.publish(TOPIC, "later");
        shard.pass(1_000);

        assertThat(member.received).hasSize(1);
        AckItem.Builder accept = AckItem.newBuilder().setOutcome(0);
        assertThat(shard.settle(member, member.received.get(0), accept)).isEmpty();

        paused(false, true, false);
        shard.until(() -> member.received.size() == 2, "the record behind it");
    }

    @Test
    void whileDispatchIsPausedAReaderWithoutAGroupStandsStill() {
        shard.publish(TOPIC, "a");
        paused(false, true, true);
        TestMember reader = new TestMember();
        shard.ask((Reply<ShardCommand.Subscribed> reply) -> new ShardCommand.SubscribeStream(
                shard.topicId(TOPIC),
                List.of(),
                Start.newBuilder().setKind(1).build(),
                List.of(),
                null,
                reader,
                reply));
        shard.mailbox().offer(new ShardCommand.Grant(reader, 100, 1 << 20, false));
        shard.pass(1_000);
        assertThat(reader.received).isEmpty();

        paused(false, true, false);
        shard.until(() -> reader.received.size() == 1, "the record");
    }

    @Test
    void switchesHoldAfterARestartAndAfterAKillAndAfterASettingIsAltered() {
        paused(true, true, true);
        change((before, why, nowMs) -> before.withShedClass(3, why, nowMs));
        shard.restart();
        shard.kill();
        shard.ask((Reply<TopicSpec> reply) ->
                new ShardCommand.AlterTopic(TOPIC, Map.of("retention.ms", "5000"), 0, reply));
        shard.kill();

        assertThat(switches().publishPaused()).isTrue();
        assertThat(switches().dispatchPaused()).isTrue();
        assertThat(switches().shedClass()).isEqualTo(3);
        assertThat(switches().reason()).isEqualTo("maintenance");
    }

    @Test
    void oneSwitchLeavesTheOther() {
        paused(true, true, true);

        paused(true, false, false);

        assertThat(switches().publishPaused()).isFalse();
        assertThat(switches().dispatchPaused()).isTrue();
    }
}
