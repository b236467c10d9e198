package io.spillway.broker.shard;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.Unpooled;
import io.spillway.broker.catalog.TopicSpec;
import io.spillway.broker.idempotency.KeyWindow;
import io.spillway.protocol.Code;
import io.spillway.protocol.RecordParts;
import io.spillway.protocol.v1.Durability;
import io.spillway.protocol.v1.Error;
import io.spillway.protocol.v1.ItemError;
import io.spillway.protocol.v1.KeyResult;
import io.spillway.protocol.v1.Start;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What becomes of records under idempotency keys, as their publisher sees it. */
class KeyedPublishingTest {
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

    private TopicSpec topic(String... settings) {
        Map<String, String> map = new HashMap<>();
        for (int i = 0; i < settings.length; i += 2) {
            map.put(settings[i], settings[i + 1]);
        }
        return shard.createTopic("orders", 1, map);
    }

    private SteppedShard.Sent publish(TopicSpec topic, KeyedRecord... records) {
        return shard.publish(
                topic,
                0,
                Stream.of(records)
                        .map(record -> record.parts(shard.clock.nowMs))
                        .toList());
    }

    @Test
    void aDuplicateHasTheFirstResultAlsoAfterRestartKillAndRelocation() {
        TopicSpec topic = topic();
        TopicSpec filler = shard.createTopic("filler", 1, Map.of());
        publish(topic, KeyedRecord.of("x", "before"), KeyedRecord.of("y", "before"));
        PublishOutcome first = publish(topic, KeyedRecord.of("a", "one")).outcome();
        for (int i = 0; i < 100; i++) {
            shard.publish(filler, 0, "x".repeat(9_000)).outcome();
        }
        shard.pass(500);

        repeats(publish(topic, KeyedRecord.of("a", "one")).outcome(), first);
        shard = shard.restarted();
        repeats(publish(topic, KeyedRecord.of("a", "one")).outcome(), first);
        shard = shard.killed(root.resolve("killed"));
        repeats(publish(topic, KeyedRecord.of("a", "one")).outcome(), first);
        shard.purge(
                filler,
                Start.newBuilder().setKind(GroupAdministration.START_LATEST).build());
        shard.pass(61_000);
        assertThat(shard.state.log.stats().relocatedBytes()).isPositive();
        repeats(publish(topic, KeyedRecord.of("a", "one")).outcome(), first);
        conflicts(publish(topic, KeyedRecord.of("a", "two")).outcome(), 0, first.baseOffset());
        assertThat(shard.describe(topic).get(0).getEndOffset()).isEqualTo(3);
    }

    private static void repeats(PublishOutcome outcome, PublishOutcome first) {
        assertThat(outcome.duplicate()).isTrue();
        assertThat(outcome.errors()).isEmpty();
        assertThat(outcome.baseOffset()).isEqualTo(first.baseOffset());
        assertThat(outcome.appendTimeMs()).isEqualTo(first.appendTimeMs());
        assertThat(outcome.reached()).isEqualTo(Durability.DUR_SYNCED);
        assertThat(outcome.keyResults())
                .containsExactly(KeyResult.newBuilder()
                        .setIndex(0)
                        .setOffset(first.baseOffset())
                        .setAppendUnixMs(first.appendTimeMs())
                        .build());
    }

    private static void conflicts(PublishOutcome outcome, int index, long firstOffset) {
        assertThat(outcome.errors()).singleElement().satisfies(item -> {
            assertThat(item.getIndex()).isEqualTo(index);
            assertThat(code(item)).isEqualTo(Code.IDEMPOTENCY_CONFLICT);
            assertThat(item.getError().getMetadataMap()).containsEntry("first_offset", Long.toString(firstOffset));
        });
    }

    private static Code code(ItemError item) {
        return Code.valueOf(item.getError().getReason());
    }

    @Test
    void aConflictWithinABatchNamesTheOffsetTheFirstRecordGets() {
        TopicSpec topic = topic();
        publish(topic, KeyedRecord.of("old", "1"));

        PublishOutcome outcome = publish(
                        topic,
                        KeyedRecord.of("old", "1"),
                        KeyedRecord.of("a", "1"),
                        KeyedRecord.of("b", "1"),
                        KeyedRecord.of("b", "2"))
                .outcome();

        assertThat(outcome.baseOffset()).isEqualTo(1);
        conflicts(outcome, 3, 2);
    }

    @Test
    void keysWhoseHashesCollideAreDifferentKeys() {
        TopicSpec topic = topic();
        Map<Integer, String> byHash = new HashMap<>();
        int collisions = 0;
        for (int i = 0; collisions < 3; i++) {
            String key = "key-" + i;
            byte[] bytes = key.getBytes(StandardCharsets.UTF_8);
            int hash = (int) (KeyWindow.hash(Unpooled.wrappedBuffer(bytes), 0, bytes.length) >>> 32);
            String other = byHash.putIfAbsent(hash, key);
            if (other != null) {
                collisions++;
                PublishOutcome first =
                        publish(topic, KeyedRecord.of(other, "same")).outcome();
                PublishOutcome second =
                        publish(topic, KeyedRecord.of(key, "same")).outcome();
                assertThat(second.duplicate()).isFalse();
                assertThat(second.baseOffset()).isEqualTo(first.baseOffset() + 1);
                repeats(publish(topic, KeyedRecord.of(key, "same")).outcome(), second);
                repeats(publish(topic, KeyedRecord.of(other, "same")).outcome(), first);
            }
        }
    }

    @Test
    void aRetryOlderThanWhatIsRememberedIsRefusedAlsoAfterARestart() {
        TopicSpec topic = topic("dedup.window.keys", "2");
        long beganMs = shard.clock.nowMs;
        publish(topic, KeyedRecord.of("a", "1"));
        shard.pass(10);
        publish(topic, KeyedRecord.of("b", "1"));
        shard.pass(10);
        publish(topic, KeyedRecord.of("c", "1"));

        for (int life = 0; life < 3; life++) {
            PublishOutcome refused =
                    publish(topic, KeyedRecord.of("a", "1").triedSince(beganMs)).outcome();
            assertThat(refused.errors()).singleElement().satisfies(item -> {
                assertThat(code(item)).isEqualTo(Code.DEDUP_WINDOW_EXCEEDED);
                assertThat(item.getError().getMetadataMap()).containsEntry("evicted_up_to_ms", Long.toString(beganMs));
            });
            assertThat(refused.duplicate()).isFalse();
            repeats(
                    publish(topic, KeyedRecord.of("b", "1").triedSince(beganMs)).outcome(),
                    publish(topic, KeyedRecord.of("b", "1")).outcome());
            assertThat(shard.describe(topic).get(0).getEndOffset()).isEqualTo(3);
            shard = life == 0 ? shard.killed(root.resolve("killed")) : shard.restarted();
        }
        assertThat(publish(topic, KeyedRecord.of("new", "1").triedSince(beganMs + 1))
                        .outcome()
                        .errors())
                .isEmpty();
    }

    @Test
    void aFirstAttemptWithAForgottenKeyIsStored() {
        TopicSpec topic = topic("dedup.window.ms", "1000");
        publish(topic, KeyedRecord.of("a", "1"));
        shard.pass(1_010);

        PublishOutcome again = publish(topic, KeyedRecord.of("a", "1")).outcome();

        assertThat(again.duplicate()).isFalse();
        assertThat(again.baseOffset()).isEqualTo(1);
    }

    @Test
    void aFurtherAttemptCountsFromItsFirst() {
        TopicSpec topic = topic("dedup.window.ms", "1000");
        publish(topic, KeyedRecord.of("a", "1"));
        shard.pass(1_010);

        SteppedShard.Sent early =
                shard.retry(topic, List.of(KeyedRecord.of("a", "1").parts(0)), 1_010);
        SteppedShard.Sent late =
                shard.retry(topic, List.of(KeyedRecord.of("a", "1").parts(0)), 1_009);

        assertThat(code(early.outcome().errors().get(0))).isEqualTo(Code.DEDUP_WINDOW_EXCEEDED);
        assertThat(late.outcome().errors()).isEmpty();
    }

    @Test
    void aPurgedRecordIsNotKnownAnyMore() {
        TopicSpec topic = topic();
        long beganMs = shard.clock.nowMs;
        publish(topic, KeyedRecord.of("a", "1"));
        PurgeTest.purgeTo(shard, topic, 0, 1);

        PublishOutcome retry =
                publish(topic, KeyedRecord.of("a", "1").triedSince(beganMs)).outcome();

        assertThat(code(retry.errors().get(0))).isEqualTo(Code.DEDUP_WINDOW_EXCEEDED);
        assertThat(publish(topic, KeyedRecord.of("a", "1")).outcome().baseOffset())
                .isEqualTo(1);
    }

    @Test
    void aHeaderThatIsNoTimeIsTakenForAVeryOldOne() {
        TopicSpec topic = topic("dedup.window.keys", "0");
        publish(topic, KeyedRecord.of("a", "1"));

        PublishOutcome retry =
                publish(topic, new KeyedRecord("b", "1", Long.MAX_VALUE)).outcome();

        assertThat(code(retry.errors().get(0))).isEqualTo(Code.DEDUP_WINDOW_EXCEEDED);
    }

    @Test
    void aRepetitionWaitsForItsFirstCopyToBecomeDurable() {
        TopicSpec topic = topic();
        shard.syncer.held = true;
        SteppedShard.Sent first = publish(topic, KeyedRecord.of("a", "1"));
        SteppedShard.Sent second = publish(topic, KeyedRecord.of("a", "1"));
        shard.pass(900);
        assertThat(first.isAnswered()).isFalse();
        assertThat(second.isAnswered()).isFalse();

        shard.syncer.held = false;
        shard.pass(20);

        repeats(second.outcome(), first.outcome());
    }

    @Test
    void aRepetitionWhoseFirstCopyIsNotDurableInTimeIsInProgress() {
        TopicSpec topic = topic();
        PublishOutcome old = publish(topic, KeyedRecord.of("old", "1")).outcome();
        shard.syncer.held = true;
        SteppedShard.Sent first = publish(topic, KeyedRecord.of("a", "1"));
        SteppedShard.Sent second =
                publish(topic, KeyedRecord.of("old", "2"), KeyedRecord.of("a", "1"), KeyedRecord.of("old", "1"));
        shard.pass(1_010);

        assertThat(first.isAnswered()).isFalse();
        PublishOutcome waiting = second.outcome();
        assertThat(waiting.duplicate()).isFalse();
        assertThat(waiting.keyResults())
                .containsExactly(KeyResult.newBuilder()
                        .setIndex(2)
                        .setOffset(0)
                        .setAppendUnixMs(old.appendTimeMs())
                        .build());
        assertThat(waiting.errors())
                .extracting(ItemError::getIndex, KeyedPublishingTest::code)
                .containsExactly(
                        org.assertj.core.groups.Tuple.tuple(0, Code.IDEMPOTENCY_CONFLICT),
                        org.assertj.core.groups.Tuple.tuple(1, Code.IDEMPOTENCY_IN_PROGRESS));
        Error inProgress = waiting.errors().get(1).getError();
        assertThat(inProgress.getRetryAfterMs()).isPositive();
        shard.syncer.held = false;
        shard.pass(20);
        repeats(publish(topic, KeyedRecord.of("a", "1")).outcome(), first.outcome());
        assertThat(shard.counters.keysInProgress.sum()).isEqualTo(1);
    }

    @Test
    void aRepetitionOfADurableCopyIsNeverInProgress() {
        TopicSpec topic = topic();
        PublishOutcome first = publish(topic, KeyedRecord.of("a", "1")).outcome();
        shard.syncer.held = true;
        shard.publish(topic, 0, "something else");
        SteppedShard.Sent second = publish(topic, KeyedRecord.of("a", "1"));
        shard.pass(1_500);

        shard.syncer.held = false;
        shard.pass(20);

        repeats(second.outcome(), first);
    }

    @Test
    void aBatchThatComesAgainHasItsFirstResultOfEachRecord() {
        TopicSpec topic = topic();
        publish(topic, KeyedRecord.of("old", "1"));
        List<RecordParts> records = Stream.of(
                        KeyedRecord.of("a", "1"),
                        KeyedRecord.of("old", "1"),
                        new KeyedRecord(null, "plain", -1),
                        KeyedRecord.of("old", "2"),
                        KeyedRecord.of("a", "1"),
                        new KeyedRecord(null, "plain", -1))
                .map(record -> record.parts(shard.clock.nowMs))
                .toList();
        PublishOutcome first = shard.publish(topic, 7, 0, records).outcome();
        assertThat(first.baseOffset()).isEqualTo(1);
        assertThat(first.keyResults())
                .extracting(KeyResult::getIndex, KeyResult::getOffset)
                .containsExactly(
                        org.assertj.core.groups.Tuple.tuple(1, 0L), org.assertj.core.groups.Tuple.tuple(4, 1L));

        shard = shard.restarted();
        PublishOutcome again = shard.publish(topic, 7, 0, records).outcome();

        assertThat(again.duplicate()).isTrue();
        assertThat(again.baseOffset()).isEqualTo(first.baseOffset());
        assertThat(again.appendTimeMs()).isEqualTo(first.appendTimeMs());
        assertThat(again.keyResults()).isEqualTo(first.keyResults());
        assertThat(again.errors()).isEqualTo(first.errors());
        assertThat(shard.describe(topic).get(0).getEndOffset()).isEqualTo(4);
    }

    @Test
    void aBatchThatComesAgainAndWhoseRecordsAreGoneIsSaidToBeSomewhere() {
        TopicSpec topic = topic();
        List<RecordParts> records = Stream.of(KeyedRecord.of("a", "1"), new KeyedRecord(null, "plain", -1))
                .map(record -> record.parts(shard.clock.nowMs))
                .toList();
        shard.publish(topic, 7, 0, records);
        PurgeTest.purgeTo(shard, topic, 0, 2);

        PublishOutcome again = shard.publish(topic, 7, 0, records).outcome();

        assertThat(again.duplicate()).isTrue();
        assertThat(again.baseOffset()).as("where is forgotten").isEqualTo(-1);
        assertThat(again.errors()).extracting(KeyedPublishingTest::code).containsExactly(Code.DEDUP_WINDOW_EXCEEDED);
    }
}
