package io.spillway.broker.shard;

import static org.assertj.core.api.Assertions.assertThat;

import io.spillway.broker.base.SpillwayException;
import io.spillway.broker.catalog.TopicSpec;
import io.spillway.protocol.Code;
import io.spillway.protocol.v1.GroupInfo;
import io.spillway.protocol.v1.GroupPartition;
import io.spillway.protocol.v1.PartitionInfo;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Topics that bound their backlog, refusing or dropping, and topics that keep what is not acked. */
class BacklogTest {
    @TempDir
    Path root;

    private SteppedShard shard;

    @BeforeEach
    void open() {
        shard = new SteppedShard(root.resolve("log"));
    }

    @AfterEach
    void close() {
        shard.close();
    }

    @Test
    void aFullTopicRefusesWithTheMeasureAndAppendsNothing() {
        TopicSpec topic = topic(1, "backlog.records", "3");
        FakeMember.join(shard, topic, "billing", false);
        publish(topic, 3);

        SpillwayException refusal = shard.publish(topic, 0, "one more").refusal();

        assertThat(refusal.code()).isEqualTo(Code.QUEUE_FULL);
        assertThat(refusal.retryAfterMs()).isPositive();
        assertThat(refusal.metadata())
                .containsEntry("bound", "backlog.records")
                .containsEntry("limit", "3")
                .containsEntry("actual", "3")
                .containsEntry("group", "billing");
        assertThat(shard.describe(topic).get(0).getEndOffset()).isEqualTo(3);
        assertThat(shard.counters.backlogRefused.sum()).isEqualTo(1);
    }

    @Test
    void acksMakeRoomAtOnce() {
        TopicSpec topic = topic(1, "backlog.records", "3");
        FakeMember member = FakeMember.join(shard, topic, "billing", true);
        publish(topic, 3);
        assertThat(shard.publish(topic, 0, "too early").refusal().code()).isEqualTo(Code.QUEUE_FULL);

        member.ack(2);

        assertThat(shard.publish(topic, 0, "4").outcome().baseOffset()).isEqualTo(3);
        assertThat(shard.publish(topic, 0, "5").outcome().baseOffset()).isEqualTo(4);
        assertThat(shard.publish(topic, 0, "6").refusal().code()).isEqualTo(Code.QUEUE_FULL);
    }

    @Test
    void whatIsSettledOutOfOrderDoesNotCount() {
        TopicSpec topic = topic(1, "backlog.records", "3");
        FakeMember member = FakeMember.join(shard, topic, "billing", true);
        publish(topic, 3);
        member.held.remove(0);

        member.ack(2);

        publish(topic, 2);
        assertThat(shard.publish(topic, 0, "too much").refusal().code()).isEqualTo(Code.QUEUE_FULL);
    }

    @Test
    void theSlowestGroupCountsOverAllPartitions() {
        TopicSpec topic = topic(2, "backlog.records", "4");
        FakeMember fast = FakeMember.join(shard, topic, "fast", true);
        FakeMember.join(shard, topic, "slow", false);
        shard.publish(topic, 0, "1", "2").outcome();
        shard.publish(topic, 1, "3", "4").outcome();
        fast.ack(fast.held.size());

        SpillwayException refusal = shard.publish(topic, 1, "5").refusal();

        assertThat(refusal.code()).isEqualTo(Code.QUEUE_FULL);
        assertThat(refusal.metadata()).containsEntry("group", "slow").containsEntry("actual", "4");
    }

    @Test
    void withoutAGroupWhatIsStoredCounts() {
        TopicSpec topic = topic(1, "backlog.records", "2");
        publish(topic, 2);
        assertThat(shard.publish(topic, 0, "3").refusal().metadata()).containsEntry("group", "");

        PurgeTest.purgeTo(shard, topic, 0, 1);

        publish(topic, 1);
        assertThat(shard.publish(topic, 0, "4").refusal().code()).isEqualTo(Code.QUEUE_FULL);
    }

    @Test
    void aGroupThatBeginsLateCountsAfterTheNextLook() {
        TopicSpec topic = topic(1, "backlog.records", "10");
        FakeMember first = FakeMember.join(shard, topic, "first", true);
        publish(topic, 9);
        first.ack(9);
        publish(topic, 1);
        first.ack(1);
        publish(topic, 2);

        FakeMember.join(shard, topic, "second", false);
        shard.pass(200);

        assertThat(shard.publish(topic, 0, "more").refusal().metadata()).containsEntry("group", "second");
    }

    @Test
    void bytesAreOvershotByLessThanOneBatch() {
        TopicSpec topic = topic(1, "backlog.bytes", "10000");
        FakeMember.join(shard, topic, "billing", false);
        String value = "x".repeat(3_000);
        int taken = 0;
        while (shard.publish(topic, 0, value).refusal == null) {
            taken++;
        }

        long bytes = shard.describe(topic).get(0).getBytes();

        assertThat(taken).isEqualTo(4);
        assertThat(bytes).isBetween(10_000L, 10_000L + 3_200);
        assertThat(shard.publish(topic, 0, value).refusal().metadata())
                .containsEntry("bound", "backlog.bytes")
                .containsEntry("actual", Long.toString(bytes));
    }

    @Test
    void bytesOfABacklogOfManySegmentsAreExact() {
        TopicSpec topic = topic(1, "backlog.bytes", "1000000");
        FakeMember member = FakeMember.join(shard, topic, "billing", true);
        String value = "x".repeat(9_000);
        while (shard.publish(topic, 0, value).refusal == null) {
            assertThat(shard.state.log.bytes(topic.partitionId(0))).isLessThan(2_000_000);
        }
        assertThat(shard.state.log.stats().segments()).isGreaterThan(3);
        long each = shard.state.log.bytes(topic.partitionId(0))
                / shard.describe(topic).get(0).getEndOffset();

        for (int acked = 1; acked <= 80; acked++) {
            member.ack(1);
            assertThat(shard.state.log.bytesFrom(topic.partitionId(0), acked))
                    .isEqualTo(shard.state.log.bytes(topic.partitionId(0)) - acked * each);
        }
    }

    @Test
    void theAgeOfTheOldestUnsettledRecordIsABound() {
        TopicSpec topic = topic(1, "backlog.ms", "1000");
        FakeMember member = FakeMember.join(shard, topic, "billing", true);
        publish(topic, 1);
        shard.pass(600);
        publish(topic, 1);
        shard.pass(500);
        assertThat(shard.publish(topic, 0, "late").refusal().metadata()).containsEntry("bound", "backlog.ms");

        member.ack(1);

        publish(topic, 1);
        shard.pass(600);
        assertThat(shard.publish(topic, 0, "late").refusal().code()).isEqualTo(Code.QUEUE_FULL);
    }

    @Test
    void anEmptyTopicTakesABatchThatIsLargerThanItsBound() {
        TopicSpec topic = topic(1, "backlog.bytes", "1");

        assertThat(shard.publish(topic, 0, "larger").outcome().baseOffset()).isZero();
        assertThat(shard.publish(topic, 0, "larger").refusal().code()).isEqualTo(Code.QUEUE_FULL);
    }

    @Test
    void aRaisedBoundHoldsAtOnce() {
        TopicSpec topic = topic(1, "backlog.records", "1");
        publish(topic, 1);
        assertThat(shard.publish(topic, 0, "2").refusal().code()).isEqualTo(Code.QUEUE_FULL);

        shard.alterTopic("orders", Map.of("backlog.records", "-1"));

        publish(topic, 5);
    }

    @Test
    void theBoundHoldsAfterARestart() {
        TopicSpec topic = topic(1, "backlog.records", "2");
        publish(topic, 2);

        shard = shard.restarted();

        assertThat(shard.publish(topic, 0, "3").refusal().code()).isEqualTo(Code.QUEUE_FULL);
    }

    @Test
    void dropOldestTakesEverythingAndLetsTheOldestGoOverAllPartitions() {
        TopicSpec topic = topic(2, "backlog.records", "4", "backlog.policy", "drop_oldest");
        for (int i = 0; i < 6; i++) {
            shard.publish(topic, i % 2, "value " + i).outcome();
            shard.clock.nowMs++;
        }
        shard.publish(topic, 0, "the last").outcome();

        shard.pass(20);

        List<PartitionInfo> partitions = shard.describe(topic);
        assertThat(partitions).extracting(PartitionInfo::getStartOffset).containsExactly(2L, 1L);
        assertThat(partitions).extracting(PartitionInfo::getEndOffset).containsExactly(4L, 3L);
        assertThat(shard.counters.backlogDropped.sum()).isEqualTo(3);
    }

    @Test
    void groupsSkipWhatWasDroppedAndAreToldHowMuch() {
        TopicSpec topic = topic(1, "backlog.records", "5", "backlog.policy", "drop_oldest");
        FakeMember fast = FakeMember.join(shard, topic, "fast", true);
        FakeMember slow = FakeMember.join(shard, topic, "slow", false);
        for (int i = 0; i < 8; i++) {
            publish(topic, 1);
            fast.ack(1);
        }

        GroupPartition fastPlace = place(topic, "fast");
        GroupPartition slowPlace = place(topic, "slow");
        shard.mailbox.offer(new ShardCommand.Grant(slow, 100, 1 << 20, false));
        shard.run();

        assertThat(fastPlace.getDropped()).isZero();
        assertThat(slowPlace.getDropped()).isEqualTo(3);
        assertThat(slowPlace.getBacklog()).isEqualTo(5);
        assertThat(slow.held).extracting(FakeMember.Delivery::from).containsExactly(3L, 4L, 5L, 6L, 7L);
    }

    @Test
    void whatAGroupLostIsRememberedAfterARestartAndAfterAKill() {
        TopicSpec topic = topic(1, "backlog.records", "5", "backlog.policy", "drop_oldest");
        FakeMember.join(shard, topic, "slow", false);
        publish(topic, 8);
        shard.pass(20);
        long lost = place(topic, "slow").getDropped();

        shard = shard.killed(root.resolve("killed"));
        GroupPartition afterKill = place(topic, "slow");
        shard = shard.restarted();
        GroupPartition afterRestart = place(topic, "slow");

        assertThat(lost).isEqualTo(3);
        assertThat(afterKill.getDropped()).isEqualTo(lost);
        assertThat(afterRestart.getDropped()).isEqualTo(lost);
        assertThat(afterRestart.getCursor()).isEqualTo(3);
    }

    @Test
    void recordsThatAreTooOldAreDropped() {
        TopicSpec topic = topic(1, "backlog.ms", "1000", "backlog.policy", "drop_oldest");
        publish(topic, 1);
        shard.pass(700);
        publish(topic, 1);

        shard.pass(400);

        assertThat(shard.describe(topic).get(0).getStartOffset()).isEqualTo(1);
    }

    @Test
    void retentionLeavesWhatAGroupHasNotSettled() {
        TopicSpec topic = topic(1, "retain.until.acked", "true", "retention.ms", "1000");
        FakeMember fast = FakeMember.join(shard, topic, "fast", true);
        FakeMember slow = FakeMember.join(shard, topic, "slow", true);
        for (int i = 0; i < 100; i++) {
            shard.publish(topic, 0, "x".repeat(9_000)).outcome();
        }
        fast.ack(100);
        slow.ack(60);

        shard.pass(20_000);

        long kept = shard.describe(topic).get(0).getStartOffset();
        assertThat(kept).isPositive().isLessThanOrEqualTo(60);
        slow.ack(slow.held.size());
        shard.pass(20_000);
        assertThat(shard.describe(topic).get(0).getStartOffset()).isGreaterThan(60);
    }

    private TopicSpec topic(int partitions, String... settings) {
        Map<String, String> map = new HashMap<>();
        for (int i = 0; i < settings.length; i += 2) {
            map.put(settings[i], settings[i + 1]);
        }
        return shard.createTopic("orders", partitions, map);
    }

    /** Batches of one record each. */
    private void publish(TopicSpec topic, int batches) {
        for (int i = 0; i < batches; i++) {
            shard.publish(topic, 0, "value").outcome();
        }
    }

    private GroupPartition place(TopicSpec topic, String group) {
        List<GroupInfo> groups = shard.ask(reply -> new ShardCommand.DescribeGroups(topic.topicId(), group, reply));
        return groups.get(0).getPartitions(0);
    }
}
