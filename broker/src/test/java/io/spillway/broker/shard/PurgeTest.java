package io.spillway.broker.shard;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.spillway.broker.base.SpillwayException;
import io.spillway.broker.catalog.TopicSpec;
import io.spillway.broker.records.Position;
import io.spillway.protocol.Code;
import io.spillway.protocol.v1.PartitionInfo;
import io.spillway.protocol.v1.Start;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class PurgeTest {
    @TempDir
    Path root;

    private SteppedShard shard;
    private TopicSpec topic;

    @BeforeEach
    void open() {
        shard = new SteppedShard(root.resolve("log"));
        topic = shard.createTopic("orders", 2, Map.of());
        for (int i = 0; i < 6; i++) {
            shard.publish(topic, i % 2, "value " + i).outcome();
            shard.clock.nowMs += 100;
        }
    }

    @AfterEach
    void close() {
        shard.close();
    }

    static List<PartitionInfo> purgeTo(SteppedShard shard, TopicSpec topic, int partition, long offset) {
        return shard.purge(
                topic,
                start(GroupAdministration.START_OFFSET)
                        .setPartition(partition)
                        .setOffset(offset)
                        .build());
    }

    private static Start.Builder start(int kind) {
        return Start.newBuilder().setKind(kind);
    }

    @Test
    void anOffsetIsMeantInItsPartitionAlone() {
        assertThat(starts(purgeTo(shard, topic, 1, 2))).containsExactly(0L, 2L);
    }

    @Test
    void latestRemovesEverything() {
        Start latest = start(GroupAdministration.START_LATEST).build();

        assertThat(starts(shard.purge(topic, latest))).containsExactly(3L, 3L);
        assertThat(shard.describe(topic)).extracting(PartitionInfo::getBytes).containsExactly(0L, 0L);
        assertThat(shard.publish(topic, 0, "next").outcome().baseOffset()).isEqualTo(3);
    }

    @Test
    void earliestRemovesNothing() {
        Start earliest = start(GroupAdministration.START_EARLIEST).build();

        assertThat(starts(shard.purge(topic, earliest))).containsExactly(0L, 0L);
    }

    @Test
    void aTimeRemovesWhatWasAppendedBefore() {
        Start time = start(GroupAdministration.START_TIME)
                .setUnixMs(shard.clock.nowMs - 300)
                .build();

        assertThat(starts(shard.purge(topic, time))).containsExactly(2L, 1L);
    }

    @Test
    void whatWasPurgedStaysAwayAfterAKill() {
        purgeTo(shard, topic, 0, 2);

        shard = shard.killed(root.resolve("killed"));

        assertThat(starts(shard.describe(topic))).containsExactly(2L, 0L);
    }

    @Test
    void groupsGoOnBehindWhatWasPurged() {
        FakeMember member = FakeMember.join(shard, topic, "billing", false);
        purgeTo(shard, topic, 0, 2);

        shard.mailbox.offer(new ShardCommand.Grant(member, 100, 1 << 20, false));
        shard.run();

        assertThat(member.held)
                .extracting(FakeMember.Delivery::partition, FakeMember.Delivery::from)
                .containsExactlyInAnyOrder(
                        org.assertj.core.groups.Tuple.tuple(0, 2L),
                        org.assertj.core.groups.Tuple.tuple(1, 0L),
                        org.assertj.core.groups.Tuple.tuple(1, 1L),
                        org.assertj.core.groups.Tuple.tuple(1, 2L));
    }

    @Test
    void aPurgeThatDoesNotSayBeforeWhatIsRefused() {
        assertThatThrownBy(() -> shard.purge(topic, Start.getDefaultInstance())).hasMessageContaining("before what");
        assertThatThrownBy(() -> purgeTo(shard, topic, 2, 0)).hasMessageContaining("has no partition 2");
        assertThatThrownBy(() -> purgeTo(shard, topic, 0, 4)).hasMessageContaining("out of range");
    }

    @Test
    void aPurgeOfWhatReplaysNeedIsRefusedWithTheNameOfTheOneThatHolds() {
        FakeMember.join(shard, topic, "billing", false);
        openLane("j-lane", 1);
        hold("j-late", 2);

        assertThatThrownBy(() -> purgeTo(shard, topic, 0, 2)).satisfies(why -> {
            SpillwayException refusal = (SpillwayException) why;
            assertThat(refusal.code()).isEqualTo(Code.WRONG_STATE);
            assertThat(refusal.why()).isEqualTo("replay j-lane needs them from offset 1 on");
            assertThat(refusal.nextStep()).contains("spillway replay cancel j-lane");
        });
        hold("j-early", 0);
        assertThatThrownBy(() -> purgeTo(shard, topic, 0, 2))
                .satisfies(why -> assertThat(why.toString()).contains("replay j-early needs"));
        assertThat(starts(shard.describe(topic))).containsExactly(0L, 0L);

        hold("j-early");
        shard.ask((Reply<Boolean> reply) ->
                new ShardCommand.Replay(new ReplayCommand.CloseLane("j-lane", topic.topicId(), reply)));
        assertThat(starts(purgeTo(shard, topic, 0, 2))).as("up to the hold").containsExactly(2L, 0L);
        assertThatThrownBy(() -> purgeTo(shard, topic, 0, 3))
                .satisfies(why -> assertThat(why.toString()).contains("replay j-late needs"));
    }

    /** A job needs partition 0 from an offset on, or nothing any more. */
    private void hold(String jobId, long... from) {
        List<Position> positions = Arrays.stream(from)
                .mapToObj(offset -> Position.newBuilder()
                        .setPartitionId(topic.partitionId(0))
                        .setOffset(offset)
                        .build())
                .toList();
        shard.ask((Reply<Boolean> reply) ->
                new ShardCommand.Replay(new ReplayCommand.Hold(jobId, topic.topicId(), positions, reply)));
    }

    private void openLane(String jobId, long from) {
        List<ReplayCommand.Span> spans = List.of(new ReplayCommand.Span(0, from, 3, new long[0]));
        shard.ask((Reply<Boolean> reply) -> new ShardCommand.Replay(
                new ReplayCommand.OpenLane(jobId, topic.topicId(), "billing", false, spans, 0, reply)));
    }

    private static List<Long> starts(List<PartitionInfo> partitions) {
        return partitions.stream().map(PartitionInfo::getStartOffset).toList();
    }
}
