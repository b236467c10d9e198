package io.spillway.broker.shard;

import static org.assertj.core.api.Assertions.assertThat;

import io.spillway.broker.catalog.TopicSpec;
import io.spillway.broker.log.LogStats;
import io.spillway.protocol.RecordParts;
import io.spillway.protocol.Seeded;
import io.spillway.protocol.v1.ItemError;
import io.spillway.protocol.v1.KeyResult;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.io.TempDir;

/**
 * Random publishes under idempotency keys with restarts, kills and power cuts, compared with {@link KeyModel} after each.
 * A kill leaves the files as they are; a power cut leaves them as the last sync left them, of which nothing that was
 * answered may be missing.
 */
class KeyedPublishingModelTest {
    private static final int STEPS = 400;
    private static final String[] VALUES = {"one", "two"};
    private static final ShardConfig CONFIG = withSnapshotsEvery(8 << 10);

    /** Of how many batches of a producer some come again; the shard knows more. */
    private static final int REMEMBERED = 20;

    /** @param again whether the batch came before, by its sequence */
    private record Waiting(SteppedShard.Sent sent, KeyModel.Expected expected, boolean again, String step) {}

    /** A batch of a producer that numbers its records. */
    private record Came(long sequence, List<KeyedRecord> batch, List<RecordParts> parts, KeyModel.Expected expected) {}

    @TempDir(factory = MemoryDirectory.class)
    Path root;

    private RandomGenerator random = new SplittableRandom(0);
    private SteppedShard shard;
    private TopicSpec topic;
    private KeyModel model = new KeyModel(0, 0);
    private final List<Waiting> waiting = new ArrayList<>();
    private final List<Came> came = new ArrayList<>();
    private long producerId = 1;
    private long sequence;
    /** What the disk holds while syncs are held back. */
    private @Nullable Path image;

    private @Nullable KeyModel imageModel;
    private int lives;
    private int told;

    private static ShardConfig withSnapshotsEvery(long bytes) {
        ShardConfig d = ShardConfig.DEFAULT;
        return new ShardConfig(
                d.flushIntervalMs(),
                d.groupFlushIntervalMs(),
                bytes,
                d.retentionCheckIntervalMs(),
                d.defaultLeaseMs(),
                d.defaultMaxUnacked(),
                d.defaultMaxDeliveries(),
                d.groupWindow(),
                d.publishBudgetBytes(),
                d.controls(),
                d.defaultTopic());
    }

    @BeforeEach
    void open() {
        shard = new SteppedShard(root.resolve("first"), new SteppedShard.StillClock(), CONFIG);
        topic = shard.createTopic("orders", 1, Map.of());
    }

    @AfterEach
    void close() {
        shard.close();
    }

    @Seeded(runs = 12)
    void remembersWhatTheModelRemembers(RandomGenerator seeded) {
        random = seeded;
        int maxKeys = random.nextInt(4) == 0 ? random.nextInt(3) : 5 + random.nextInt(30);
        long maxAgeMs = 50 + random.nextInt(2_000);
        model = new KeyModel(maxKeys, maxAgeMs);
        shard.alterTopic(
                "orders",
                Map.of(
                        "dedup.window.keys", Integer.toString(maxKeys),
                        "dedup.window.ms", Long.toString(maxAgeMs)));
        for (int i = 0; i < STEPS; i++) {
            act("step " + i);
        }
        release();
        assertThat(shard.describe(topic).get(0).getEndOffset()).isEqualTo(model.endOffset);
        assertThat(told).as("records that were not stored").isGreaterThan(STEPS / 4);
        LogStats stats = shard.state.log.stats();
        assertThat(stats.corruptBatches()).isZero();
    }

    private void act(String step) {
        switch (random.nextInt(40)) {
            case 0 -> restart(false);
            case 1 -> restart(true);
            case 2, 3, 4 -> holdOrRelease();
            case 5 -> powerCut();
            case 6 -> purge();
            case 7 -> limit();
            case 8, 9, 10, 11, 12 -> passTime();
            case 13, 14, 15, 16, 17 -> publishAgain(step);
            default -> publish(step);
        }
    }

    private void publish(String step) {
        List<KeyedRecord> batch = new ArrayList<>();
        for (int i = random.nextInt(5); i >= 0; i--) {
            String id = random.nextInt(8) == 0 ? null : "key-" + random.nextInt(40);
            String value = VALUES[random.nextInt(10) == 0 ? 1 : 0];
            long triedSinceMs = random.nextInt(3) == 0 ? shard.clock.nowMs - random.nextInt(3_000) : -1;
            batch.add(new KeyedRecord(id, value, triedSinceMs));
        }
        List<RecordParts> parts =
                batch.stream().map(record -> record.parts(shard.clock.nowMs)).toList();
        KeyModel.Expected expected = model.publish(batch, shard.clock.nowMs);
        SteppedShard.Sent sent;
        if (random.nextBoolean()) {
            sent = shard.publish(topic, producerId, sequence, parts);
            came.add(new Came(sequence, batch, parts, expected));
            sequence += batch.size();
            if (came.size() > REMEMBERED) {
                came.remove(0);
            }
        } else {
            sent = shard.publish(topic, 0, parts);
        }
        await(new Waiting(sent, expected, false, step + " " + batch));
    }

    /** What a producer does that got no answer. */
    private void publishAgain(String step) {
        if (came.isEmpty()) {
            return;
        }
        Came before = came.get(random.nextInt(came.size()));
        KeyModel.Expected expected = model.again(before.batch, before.expected, shard.clock.nowMs);
        SteppedShard.Sent sent = shard.publish(topic, producerId, before.sequence, before.parts);
        await(new Waiting(sent, expected, true, step + " again " + before.batch));
    }

    private void await(Waiting published) {
        if (shard.syncer.held) {
            waiting.add(published);
        } else {
            check(published);
        }
    }

    private void check(Waiting published) {
        PublishOutcome outcome = published.sent.outcome();
        Map<Integer, String> answers = new TreeMap<>();
        for (KeyResult result : outcome.keyResults()) {
            answers.put(result.getIndex(), KeyModel.duplicate(result.getOffset(), result.getAppendUnixMs()));
        }
        for (ItemError item : outcome.errors()) {
            String offset = item.getError().getMetadataOrDefault("first_offset", "");
            for (int i = 0; i < item.getCount(); i++) {
                answers.put(item.getIndex() + i, (item.getError().getReason() + " " + offset).trim());
            }
        }
        assertThat(answers).as(published.step).isEqualTo(published.expected.told());
        assertThat(outcome.duplicate())
                .as(published.step)
                .isEqualTo(published.again
                        || (!published.expected.stored() && outcome.errors().isEmpty()));
        if (published.expected.stored()) {
            assertThat(outcome.baseOffset()).as(published.step).isEqualTo(published.expected.baseOffset());
        }
        told += answers.size();
    }

    private void passTime() {
        shard.clock.nowMs += shard.syncer.held ? random.nextInt(5) : random.nextInt(400);
        shard.run();
    }

    private void holdOrRelease() {
        if (shard.syncer.held) {
            release();
        } else {
            Path copy = root.resolve("image-" + ++lives);
            SteppedShard.copyTree(shard.directory, copy);
            image = copy;
            imageModel = model.copy();
            shard.syncer.held = true;
        }
    }

    /** Everything is forced and answered. */
    private void release() {
        shard.syncer.held = false;
        shard.run();
        shard.clock.nowMs += 20;
        shard.run();
        waiting.forEach(this::check);
        waiting.clear();
    }

    private void powerCut() {
        Path left = image;
        if (!shard.syncer.held || left == null) {
            return;
        }
        for (Waiting lost : waiting) {
            if (lost.expected.stored() && !lost.again) {
                assertThat(lost.sent.isAnswered()).as(lost.step).isFalse();
            }
        }
        waiting.clear();
        came.clear();
        producerId++;
        sequence = 0;
        SteppedShard.StillClock clock = shard.clock;
        shard.close();
        shard = new SteppedShard(left, clock, CONFIG);
        model = java.util.Objects.requireNonNull(imageModel);
        image = null;
    }

    private void restart(boolean killed) {
        release();
        shard = killed ? shard.killed(root.resolve("life-" + ++lives)) : shard.restarted();
    }

    private void purge() {
        long start = shard.describe(topic).get(0).getStartOffset();
        if (shard.syncer.held || random.nextInt(4) > 0 || start == model.endOffset) {
            return;
        }
        long upTo = start + random.nextLong(model.endOffset - start);
        PurgeTest.purgeTo(shard, topic, 0, upTo);
        model.purge(upTo);
        came.removeIf(batch -> batch.expected.baseOffset() < upTo);
    }

    private void limit() {
        if (shard.syncer.held || random.nextInt(3) > 0) {
            return;
        }
        int keys = random.nextInt(30);
        shard.alterTopic("orders", Map.of("dedup.window.keys", Integer.toString(keys)));
        model.limit(keys);
    }
}
