package io.spillway.broker.shard;

import static org.assertj.core.api.Assertions.assertThat;

import io.spillway.broker.catalog.TopicSpec;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class LanesTest {
    private static final String JOB = "job";

    @TempDir
    Path root;

    private SteppedShard shard;
    private TopicSpec topic;

    @BeforeEach
    void open() {
        shard = new SteppedShard(root.resolve("log"));
        topic = shard.createTopic("orders", 1, Map.of());
    }

    @AfterEach
    void close() {
        shard.close();
    }

    private void ask(Function<Reply<Boolean>, ReplayCommand> command) {
        assertThat(shard.<Boolean>ask(reply -> new ShardCommand.Replay(command.apply(reply))))
                .isTrue();
    }

    @Test
    void whatALaneHeldMakesRoomForLiveRecordsWhenItEnds() {
        shard.publish(topic, 0, "old").outcome();
        FakeMember member = FakeMember.join(shard, topic, "billing", true);
        member.ack(1);
        shard.<GroupChange.Done>ask(reply -> new ShardCommand.ChangeGroup(
                topic.topicId(), "billing", new GroupChange.Alter(Map.of("max.inflight", "1")), 0, "test", reply));
        List<ReplayCommand.Span> spans = List.of(new ReplayCommand.Span(0, 0, 1, new long[0]));
        ask(reply -> new ReplayCommand.OpenLane(JOB, topic.topicId(), "billing", false, spans, 0, reply));
        ask(reply -> new ReplayCommand.SetLane(JOB, topic.topicId(), true, reply));
        shard.publish(topic, 0, "new").outcome();
        assertThat(member.held).extracting(FakeMember.Delivery::from).containsExactly(0L);

        ask(reply -> new ReplayCommand.CloseLane(JOB, topic.topicId(), reply));

        assertThat(member.held).extracting(FakeMember.Delivery::from).containsExactly(0L, 1L);
    }
}
