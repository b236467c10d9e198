package io.spillway.broker.shard;

import static org.assertj.core.api.Assertions.assertThat;

import io.spillway.broker.diagnose.Cause;
import io.spillway.broker.diagnose.Diagnosis;
import io.spillway.broker.diagnose.GroupDecision;
import io.spillway.broker.diagnose.GroupFacts;
import io.spillway.broker.diagnose.TopicFacts;
import io.spillway.broker.shard.ShardCommand.Looked;
import io.spillway.protocol.KeyHash;
import io.spillway.protocol.RecordParts;
import io.spillway.protocol.v1.Start;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.io.TempDir;

/** What tests of causes have in common: a shard with a topic and a group, and what is said of them. */
abstract class OnCauses {
    static final long MUCH = Long.MAX_VALUE / 2;
    static final String TOPIC = "orders";
    static final String GROUP = "billing";

    @TempDir
    Path root;

    ShardFixture shard;

    @BeforeEach
    void open() {
        shard = opened(ShardConfig.DEFAULT);
    }

    ShardFixture opened(ShardConfig config) {
        ShardFixture opened = new ShardFixture(root.resolve("shard-" + config.groupWindow()), config);
        opened.createTopic(TOPIC, Map.of());
        return opened;
    }

    @AfterEach
    void close() {
        shard.close();
    }

    <P extends SubscriberPort> P join(P port, int mode, int maxUnacked, Map<String, String> settings) {
        Start earliest =
                Start.newBuilder().setKind(GroupAdministration.START_EARLIEST).build();
        shard.ask((Reply<ShardCommand.Subscribed> reply) -> new ShardCommand.SubscribeGroup(
                shard.topicId(TOPIC),
                GROUP,
                mode,
                earliest,
                30_000,
                maxUnacked,
                settings,
                "worker1",
                false,
                port,
                reply));
        return port;
    }

    <P extends SubscriberPort> P ready(P port, int mode, int maxUnacked, Map<String, String> settings) {
        join(port, mode, maxUnacked, settings);
        shard.mailbox().offer(new ShardCommand.Grant(port, MUCH, MUCH, false));
        shard.step();
        return port;
    }

    TestMember ready(int mode) {
        return ready(new TestMember(), mode, 0, Map.of());
    }

    void keyed(String key, String value) {
        byte[] bytes = key.getBytes(StandardCharsets.UTF_8);
        byte[] content = value.getBytes(StandardCharsets.UTF_8);
        shard.publish(
                TOPIC, List.of(new RecordParts(1, bytes, KeyHash.of(bytes), List.of(), content, null, null, -1, -1)));
    }

    TopicFacts facts() {
        Looked what = new Looked(shard.topicId(TOPIC), "", "", false, 10);
        return shard.ask((Reply<List<TopicFacts>> reply) -> new ShardCommand.Diagnose(what, reply))
                .get(0);
    }

    GroupFacts group() {
        return facts().groups().get(0);
    }

    /** The cause, once the shard has had time to do what it can; the metric must know it too. */
    Diagnosis named(Cause cause) {
        shard.pass(100);
        Diagnosis found = GroupDecision.of(group());
        assertThat(found.cause()).as(found.why()).isEqualTo(cause);
        return found;
    }

    void counts(Cause cause) {
        long before = shard.counters.blockedMs(cause).sum();
        for (int i = 0; i < 4; i++) {
            shard.pass(1_000);
        }
        assertThat(shard.counters.blockedMs(cause).sum() - before).isBetween(2_000L, 4_500L);
        assertThat(group().seen().cause()).isEqualTo(cause);
    }
}
