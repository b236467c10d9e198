package io.spillway.broker.shard;

import static org.assertj.core.api.Assertions.assertThat;

import io.spillway.broker.catalog.TopicSpec;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What time brings about in one topic among many that are idle. */
class TimerSweepTest {
    private static final int TOPICS = 300;
    private static final int LEASE_MS = 30_000;

    @TempDir
    Path root;

    private SteppedShard shard;
    private final List<TopicSpec> topics = new ArrayList<>();
    private final List<FakeMember> members = new ArrayList<>();

    @BeforeEach
    void open() {
        shard = new SteppedShard(root.resolve("log"));
        for (int i = 0; i < TOPICS; i++) {
            TopicSpec topic = shard.createTopic("t" + i, 1, Map.of());
            topics.add(topic);
            members.add(FakeMember.join(shard, topic, "g", true));
        }
        shard.pass(2_000);
    }

    @AfterEach
    void close() {
        shard.close();
    }

    @Test
    void whatIsIdleIsNotLookedAtInEveryTick() {
        assertThat(shard.state.awakeTopics).isEmpty();

        shard.publish(topics.get(7), 0, "held");
        shard.pass(2_000);

        assertThat(shard.state.awakeTopics)
                .containsExactly(shard.state.topic(topics.get(7).topicId()));
        members.get(7).ack(1);
        shard.pass(2_000);
        assertThat(shard.state.awakeTopics).isEmpty();
    }

    @Test
    void leasesRunOutOnTime() {
        List<Integer> some = List.of(0, 50, 150, 250, TOPICS - 1);
        some.forEach(i -> shard.publish(topics.get(i), 0, "held"));

        shard.pass(LEASE_MS - 10);
        assertThat(some).allSatisfy(i -> assertThat(members.get(i).held).hasSize(1));

        shard.pass(20);
        assertThat(shard.counters.leasesExpired.sum()).isEqualTo(some.size());
    }

    @Test
    void backlogsAreKeptWithinTheirTime() {
        TopicSpec bounded =
                shard.createTopic("bounded", 1, Map.of("backlog.ms", "5000", "backlog.policy", "drop_oldest"));
        shard.publish(bounded, 0, "old");
        shard.pass(4_900);
        assertThat(shard.describe(bounded).get(0).getStartOffset()).isZero();

        shard.pass(300);

        assertThat(shard.describe(bounded).get(0).getStartOffset()).isEqualTo(1);
    }
}
