package io.spillway.broker.shard;

import static org.assertj.core.api.Assertions.assertThat;

import io.spillway.broker.catalog.TopicSpec;
import io.spillway.broker.diagnose.Cause;
import io.spillway.broker.diagnose.Diagnosis;
import io.spillway.broker.diagnose.GroupDecision;
import io.spillway.broker.diagnose.Surroundings;
import io.spillway.broker.diagnose.TopicDecision;
import io.spillway.broker.diagnose.TopicFacts;
import io.spillway.broker.shard.ShardCommand.Looked;
import io.spillway.protocol.RecordParts;
import io.spillway.protocol.v1.AckItem;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Each cause that lies with records, operators, replays or the disk, brought about in a shard and named. */
@Timeout(60)
class RecordCausesTest extends OnCauses {
    private static final String JOB = "job";

    @Test
    void theWindowIsFull() {
        shard.close();
        ShardConfig usual = ShardConfig.DEFAULT;
        shard = opened(new ShardConfig(
                usual.flushIntervalMs(),
                usual.groupFlushIntervalMs(),
                usual.snapshotIntervalBytes(),
                usual.retentionCheckIntervalMs(),
                usual.defaultLeaseMs(),
                usual.defaultMaxUnacked(),
                usual.defaultMaxDeliveries(),
                2,
                usual.publishBudgetBytes(),
                usual.controls(),
                usual.defaultTopic()));
        ready(Group.SHARED);
        shard.publish(TOPIC, "a", "b");
        shard.publish(TOPIC, "c");

        assertThat(named(Cause.WINDOW_FULL).why()).isEqualTo("2 records of partition 0 are unsettled of 2 that may be");
        counts(Cause.WINDOW_FULL);
    }

    @Test
    void aKeyIsHeldBySomebody() {
        TestMember member = ready(Group.KEY_ORDERED);
        keyed("k", "first");
        keyed("k", "second");
        keyed("k", "third");
        shard.until(() -> member.received.size() == 1, "the first record");
        shard.pass(2_000);

        Diagnosis found = named(Cause.KEY_BLOCKED);

        assertThat(found.why())
                .startsWith("2 records wait; record 0 of partition 0 is with worker1 for ")
                .containsPattern("for 2\\d\\d\\d ms, attempt 1, and its lease ends in 27\\d\\d\\d ms");
        assertThat(found.next()).contains("spillway diagnose member worker1");
        counts(Cause.KEY_BLOCKED);
    }

    @Test
    void whatFailedWaitsForItsNextAttempt() {
        TestMember member = ready(
                new TestMember(), Group.SHARED, 0, Map.of("retry.backoff.ms", "60000", "retry.jitter.percent", "0"));
        shard.publish(TOPIC, "a");
        shard.until(() -> member.received.size() == 1, "the record");
        shard.settle(member, member.received.get(0), AckItem.newBuilder().setOutcome(1));

        assertThat(named(Cause.IN_BACKOFF).why())
                .containsPattern("1 records have failed before; the next attempt in 59\\d\\d\\d ms");
        counts(Cause.IN_BACKOFF);
    }

    @Test
    void whatIsForLaterIsNoFault() {
        ready(Group.SHARED);
        shard.publish(
                TOPIC,
                List.of(new RecordParts(
                        1, null, 0, List.of(), new byte[1], null, null, shard.clock.nowMs() + 60_000, -1)));

        Diagnosis found = named(Cause.SCHEDULED);

        assertThat(found.cause().isWrong()).isFalse();
        assertThat(found.why()).startsWith("1 records wait for their time; the next in 59");
    }

    @Test
    void deadLettersHaveNoPlace() {
        shard.createTopic(TOPIC + ".dlq", Map.of());
        TestMember member = ready(Group.SHARED);
        shard.publish(TOPIC, "a");
        shard.until(() -> member.received.size() == 1, "the record");
        shard.settle(member, member.received.get(0), AckItem.newBuilder().setOutcome(3));

        assertThat(named(Cause.DLQ_HELD).why()).isEqualTo("topic orders.dlq does not accept dead letters");
        counts(Cause.DLQ_HELD);
    }

    @Test
    void tooManyDeadLettersStopTheGroup() {
        TestMember member = ready(new TestMember(), Group.SHARED, 0, Map.of("dlq.breaker.min", "1"));
        shard.publish(TOPIC, "a");
        shard.publish(TOPIC, "b");
        shard.until(() -> member.received.size() == 2, "the records");
        shard.settle(member, member.received.get(0), AckItem.newBuilder().setOutcome(3));

        Diagnosis found = named(Cause.DLQ_BREAKER);

        assertThat(found.why()).contains("1 of 1 outcomes in 60 s were dead letters (limit 50 %)");
        assertThat(found.next()).contains("spillway group resume orders billing");
        assertThat(found.sinceMs()).isPositive();
    }

    @Test
    void anOperatorPausedTheGroupOrTheTopic() {
        ready(Group.SHARED);
        shard.change(TOPIC, GROUP, new GroupChange.Pause(), "maintenance");
        shard.publish(TOPIC, "a");

        assertThat(named(Cause.GROUP_PAUSED).why()).isEqualTo("ADMIN: maintenance");
        counts(Cause.GROUP_PAUSED);

        shard.ask((Reply<TopicSpec> reply) -> new ShardCommand.SwitchTopic(
                TOPIC,
                (before, why, nowMs) -> before.paused(false, true, true, why, nowMs),
                0,
                "the topic too",
                reply));
        assertThat(named(Cause.DISPATCH_PAUSED).why()).isEqualTo("the topic too");
        counts(Cause.DISPATCH_PAUSED);
    }

    private void replay(Function<Reply<Boolean>, ReplayCommand> command) {
        assertThat(shard.ask((Reply<Boolean> reply) -> new ShardCommand.Replay(command.apply(reply))))
                .isTrue();
    }

    /** A lane that delivers the first two records again. */
    private void lane(int rate) {
        TestMember member = ready(Group.SHARED);
        shard.publish(TOPIC, "a");
        shard.publish(TOPIC, "b");
        shard.until(() -> member.received.size() == 2, "the records");
        List<TestMember.Delivered> both = member.take();
        both.forEach(each -> shard.settle(member, each, AckItem.newBuilder()));
        List<ReplayCommand.Span> spans = List.of(new ReplayCommand.Span(0, 0, 2, new long[0]));
        int topicId = shard.topicId(TOPIC);
        replay(reply -> new ReplayCommand.OpenLane(JOB, topicId, GROUP, false, spans, rate, reply));
        replay(reply -> new ReplayCommand.SetLane(JOB, topicId, true, reply));
    }

    private Diagnosis ofLane() {
        return GroupDecision.of(facts().groups().get(1));
    }

    @Test
    void aReplayStandsStillUnderPressure() {
        shard.holdsReplays = true;
        lane(0);
        shard.pass(100);

        assertThat(ofLane().cause()).isEqualTo(Cause.REPLAY_HOLD);
        assertThat(ofLane().about()).hasToString("group billing (replay job) of topic orders");
    }

    @Test
    void aReplayGoesAtItsRate() {
        lane(1);
        shard.pass(100);

        assertThat(ofLane().cause()).isEqualTo(Cause.RATE_USED_UP);
        assertThat(ofLane().cause().isWrong()).isFalse();
    }

    @Test
    void theDiskTakesForEver() {
        shard.ask((Reply<TopicSpec> reply) ->
                new ShardCommand.AlterTopic(TOPIC, Map.of("durability", "synced"), 0, reply));
        ready(Group.SHARED);
        shard.holdsSyncs = true;
        shard.pass(1_000);
        publishWithoutWaiting();
        shard.pass(1_100);
        shard.pass(1_100);

        assertThat(named(Cause.NOT_DURABLE).why()).isEqualTo("1 records are written and not durable yet");
        counts(Cause.NOT_DURABLE);
        shard.holdsSyncs = false;
    }

    private void publishWithoutWaiting() {
        try {
            shard.publish(TOPIC, "a");
        } catch (AssertionError stillWaits) {
            assertThat(stillWaits).hasMessageContaining("the batch is appended");
        }
    }

    @Test
    void whatIsNextCannotBeRead() throws IOException {
        shard.state().log.haltAtDamage();
        shard.publish(TOPIC, "unmistakable");
        harm("unmistakable");

        ready(Group.SHARED);

        assertThat(named(Cause.UNREADABLE).why()).startsWith("partition 0 cannot be read further");
        counts(Cause.UNREADABLE);
    }

    private void harm(String value) throws IOException {
        byte[] wanted = value.getBytes(StandardCharsets.UTF_8);
        boolean isFound = false;
        try (Stream<Path> files = Files.walk(root)) {
            for (Path file : files.filter(Files::isRegularFile).toList()) {
                String content = Files.readString(file, StandardCharsets.ISO_8859_1);
                int at = content.indexOf(new String(wanted, StandardCharsets.ISO_8859_1));
                if (at >= 0) {
                    try (RandomAccessFile open = new RandomAccessFile(file.toFile(), "rw")) {
                        open.seek(at);
                        open.write('X');
                    }
                    isFound = true;
                }
            }
        }
        assertThat(isFound).isTrue();
    }

    @Test
    void aTopicSaysWhyItTakesNothing() {
        shard.ask((Reply<TopicSpec> reply) ->
                new ShardCommand.AlterTopic(TOPIC, Map.of("backlog.records", "1"), 0, reply));
        assertThat(TopicDecision.of(facts(), Surroundings.WELL).cause()).isEqualTo(Cause.ACCEPTING);
        shard.publish(TOPIC, "a");
        shard.pass(200);

        Diagnosis full = TopicDecision.of(facts(), Surroundings.WELL);
        assertThat(full.cause()).isEqualTo(Cause.QUEUE_FULL);
        assertThat(full.why()).isEqualTo("what is stored is 1 by backlog.records, the bound is 1");

        shard.ask((Reply<TopicSpec> reply) -> new ShardCommand.SwitchTopic(
                TOPIC, (before, why, nowMs) -> before.paused(true, false, true, why, nowMs), 0, "maintenance", reply));
        Diagnosis paused = TopicDecision.of(facts(), Surroundings.WELL);
        assertThat(paused.cause()).isEqualTo(Cause.PUBLISH_PAUSED);
        assertThat(paused.why()).isEqualTo("maintenance");
        assertThat(paused.sinceMs()).isPositive();
    }

    @Test
    void onlyWhatIsWrongIsToldToWhoAsksForThat() {
        ready(Group.SHARED);
        Looked wrong = new Looked(Looked.ALL, "", "", true, 10);
        assertThat(shard.ask((Reply<List<TopicFacts>> reply) -> new ShardCommand.Diagnose(wrong, reply)))
                .isEmpty();
        shard.change(TOPIC, GROUP, new GroupChange.Pause(), "maintenance");
        shard.publish(TOPIC, "a");
        shard.pass(1_100);

        assertThat(shard.ask((Reply<List<TopicFacts>> reply) -> new ShardCommand.Diagnose(wrong, reply)))
                .hasSize(1);
        Looked member = new Looked(Looked.ALL, "", "worker1", false, 10);
        assertThat(shard.ask((Reply<List<TopicFacts>> reply) -> new ShardCommand.Diagnose(member, reply)))
                .hasSize(1);
        Looked nobody = new Looked(Looked.ALL, "", "worker2", false, 10);
        assertThat(shard.ask((Reply<List<TopicFacts>> reply) -> new ShardCommand.Diagnose(nobody, reply)))
                .isEmpty();
    }
}
