package io.spillway.broker.shard;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.UnpooledByteBufAllocator;
import io.spillway.broker.base.SpillwayException;
import io.spillway.broker.catalog.TopicSpec;
import io.spillway.broker.records.GroupState;
import io.spillway.broker.records.LinkKept;
import io.spillway.broker.records.PartitionMirrored;
import io.spillway.broker.records.ProducerState;
import io.spillway.protocol.Code;
import io.spillway.protocol.RecordBatchWriter;
import io.spillway.protocol.v1.AckItem;
import io.spillway.protocol.v1.Durability;
import io.spillway.protocol.v1.LinkPosition;
import io.spillway.protocol.v1.Start;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.SplittableRandom;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A topic in one shard, and its copy in another. */
@Timeout(60)
class MirroringTest {
    private static final String LINK = "l";
    private static final String TOPIC = "orders";

    @TempDir
    Path directory;

    private ShardFixture source;
    private ShardFixture copy;
    private TestMember member = new TestMember();
    private final Map<Long, Long> nextSequence = new HashMap<>();
    private final Map<Long, ByteBuf> lastSent = new HashMap<>();

    @BeforeEach
    void open() {
        source = new ShardFixture(directory.resolve("source"));
        copy = new ShardFixture(directory.resolve("copy"));
        copy.createTopic("other", Map.of());
        source.createTopic(TOPIC, Map.of());
        mirror();
    }

    @AfterEach
    void close() {
        lastSent.values().forEach(ByteBuf::release);
        source.close();
        copy.close();
    }

    private TopicSpec mirror() {
        TopicSpec spec = source.catalog().get().get(TOPIC);
        return copy.ask(reply -> new ShardCommand.Link(new LinkCommand.Mirror(
                LINK, TOPIC, 1, spec.config().toMap(), spec.standing().epoch(), spec.createdMs(), reply)));
    }

    private static Partition partition(ShardFixture shard) {
        return shard.state().topic(shard.topicId(TOPIC)).partitions[0];
    }

    private LinkCommand.Fetched fetch(int maxBytes) {
        LinkPosition position =
                LinkPosition.newBuilder().setOffset(partition(copy).endOffset).build();
        return source.ask(reply -> new ShardCommand.Link(
                new LinkCommand.Fetch(source.topicId(TOPIC), List.of(position), maxBytes, reply)));
    }

    /** One fetch, appended to the copy. */
    private void copy(int maxBytes) {
        LinkCommand.Fetched fetched = fetch(maxBytes);
        try {
            append(fetched.partitions().get(0), fetched.batches());
        } finally {
            fetched.batches().release();
        }
    }

    private long append(LinkCommand.FetchedPartition from, @Nullable ByteBuf batches) {
        return copy.ask(reply -> new ShardCommand.Link(new LinkCommand.Append(
                copy.topicId(TOPIC),
                LINK,
                0,
                from.start(),
                from.next(),
                batches == null || !batches.isReadable() ? null : batches,
                from.beside(),
                reply)));
    }

    private void copyAll() {
        while (partition(copy).endOffset < partition(source).visibleEnd
                || copy.state().log.startOffset(partition(copy).id)
                        < source.state().log.startOffset(partition(source).id)) {
            copy(1 << 20);
        }
    }

    private LinkCommand.Exported export() {
        return source.ask(reply -> new ShardCommand.Link(new LinkCommand.Export(source.topicId(TOPIC), reply)));
    }

    private boolean copyGroups(LinkCommand.Exported exported) {
        return copy.<Boolean>ask(reply ->
                new ShardCommand.Link(new LinkCommand.Groups(copy.topicId(TOPIC), LINK, exported.groups(), reply)));
    }

    private static PublishOutcome publish(ShardFixture shard, KeyedRecord... records) {
        List<io.spillway.protocol.RecordParts> parts = new ArrayList<>();
        for (KeyedRecord record : records) {
            parts.add(record.parts(shard.clock.nowMs()));
        }
        return shard.publish(TOPIC, 0, parts);
    }

    /** Sends a batch of a producer that counts; of the source, or of whom it goes on at. */
    private static PublishOutcome send(ShardFixture shard, ByteBuf batch) {
        PublishOutcome[] outcome = new PublishOutcome[1];
        SpillwayException[] refused = new SpillwayException[1];
        PublisherPort port = new PublisherPort() {
            @Override
            public void appended(ShardCommand.Publish command, PublishOutcome done) {
                outcome[0] = done;
            }

            @Override
            public void refused(ShardCommand.Publish command, SpillwayException why) {
                refused[0] = why;
            }
        };
        shard.mailbox()
                .offer(ShardCommand.Publish.of(
                        port,
                        partition(shard).id,
                        batch,
                        Batches.admit(batch, batch.readerIndex()),
                        1,
                        shard.clock.nanoTime(),
                        0,
                        Durability.DUR_DEFAULT));
        shard.until(() -> outcome[0] != null || refused[0] != null, "an answer");
        if (refused[0] != null) {
            throw refused[0];
        }
        return outcome[0];
    }

    private ByteBuf batch(long producer, List<KeyedRecord> records) {
        RecordBatchWriter writer = new RecordBatchWriter(UnpooledByteBufAllocator.DEFAULT, 1 << 20);
        records.forEach(record -> writer.add(record.parts(source.clock.nowMs())));
        long sequence = nextSequence.getOrDefault(producer, 0L);
        nextSequence.put(producer, sequence + records.size());
        RecordBatchWriter.Batch parts = writer.finish(producer, 0, sequence);
        ByteBuf batch = UnpooledByteBufAllocator.DEFAULT.directBuffer(parts.bytes());
        batch.writeBytes(parts.head()).writeBytes(parts.body());
        parts.release();
        return batch;
    }

    private void fence(long epoch) {
        source.<List<String>>ask(reply ->
                new ShardCommand.Link(new LinkCommand.Fence(LINK, List.of(TOPIC), epoch, "there:7400", reply)));
    }

    private void openCopy(long epoch) {
        LinkKept link = LinkKept.newBuilder().setName(LINK).setState(2).build();
        copy.<Boolean>ask(reply -> new ShardCommand.Link(
                new LinkCommand.Open(link, List.of(new LinkCommand.Opened(copy.topicId(TOPIC), epoch)), reply)));
    }

    private static Map<Long, ProducerState> producers(ShardFixture shard) {
        Map<Long, ProducerState> all = new TreeMap<>();
        partition(shard).producers.snapshot(producer -> all.put(producer.getProducerId(), producer));
        return all;
    }

    private static ProducerState producer(ShardFixture shard, long id) {
        return Objects.requireNonNull(producers(shard).get(id));
    }

    private List<GroupState> groups(ShardFixture shard) {
        return List.copyOf(shard
                .ask((Reply<LinkCommand.Exported> reply) ->
                        new ShardCommand.Link(new LinkCommand.Export(shard.topicId(TOPIC), reply)))
                .groups()
                .stream()
                .map(state -> state.toBuilder()
                        .setGroup(state.getGroup().toBuilder().clearGroupId().clearTopicId())
                        .clearPause()
                        .build())
                .sorted(Comparator.comparing(state -> state.getGroup().getName()))
                .toList());
    }

    @Test
    void aCopyTakesNothingButFromItsLink() {
        assertThatThrownBy(() -> copy.publish(TOPIC, "a")).isInstanceOfSatisfying(SpillwayException.class, e -> {
            assertThat(e.code()).isEqualTo(Code.READ_ONLY);
            assertThat(e.why()).contains("link " + LINK);
        });
        assertThatThrownBy(() -> copy.join(TOPIC, "g", Map.of())).hasMessageContaining("is a copy");
        LinkCommand.FetchedPartition nothing =
                new LinkCommand.FetchedPartition(0, 0, 5, 5, 0, 0, PartitionMirrored.getDefaultInstance());
        assertThatThrownBy(() -> copy.<Long>ask(reply -> new ShardCommand.Link(
                        new LinkCommand.Append(copy.topicId("other"), LINK, 0, 0, 5, null, nothing.beside(), reply))))
                .hasMessageContaining("takes nothing more from link");
        copy.kill();
        assertThatThrownBy(() -> copy.publish(TOPIC, "a")).hasMessageContaining("is a copy");
    }

    @Test
    void whatTheSourceCannotReadIsAHoleAtTheSameOffsets() {
        source.publish(TOPIC, "a", "b");
        copyAll();
        LinkCommand.FetchedPartition hole =
                new LinkCommand.FetchedPartition(0, 0, 5, 5, 0, 0, PartitionMirrored.getDefaultInstance());
        assertThat(append(hole, null)).isEqualTo(5);
        source.publish(TOPIC, "c", "d", "e");
        source.publish(TOPIC, "f");
        copyAll();

        copy.kill();
        TestMember reader = new TestMember();
        copy.ask((Reply<ShardCommand.Subscribed> reply) -> new ShardCommand.SubscribeStream(
                copy.topicId(TOPIC), List.of(), Start.newBuilder().setKind(1).build(), List.of(), null, reader, reply));
        copy.mailbox().offer(new ShardCommand.Grant(reader, Long.MAX_VALUE / 2, Long.MAX_VALUE / 2, false));
        copy.until(() -> reader.received.size() == 3, "what is there");
        assertThat(reader.received.stream().map(TestMember.Delivered::offset)).containsExactly(0L, 1L, 5L);
        copy.leave(reader);
    }

    @Test
    void fencesOfAnOlderEpochDoNothing() {
        fence(3);
        fence(3);
        assertThatThrownBy(() -> source.publish(TOPIC, "a"))
                .isInstanceOfSatisfying(
                        SpillwayException.class, e -> assertThat(e.nextStep()).contains("there:7400"));
        source.<List<String>>ask(reply -> new ShardCommand.Link(new LinkCommand.Lift(List.of(TOPIC), reply)));
        source.publish(TOPIC, "a");
        assertThatThrownBy(() -> fence(3)).hasMessageContaining("not fenced");
        assertThatThrownBy(() -> fence(4)).hasMessageContaining("not fenced");
        source.kill();
        source.publish(TOPIC, "b");
        fence(5);
        source.kill();
        assertThatThrownBy(() -> source.publish(TOPIC, "c")).hasMessageContaining("has moved");
    }

    @Test
    void aProducerThatIsNotWholeInTheCopyIsKnownThereOnlyAsFarAsItsRecordsAre() {
        send(source, batch(7, List.of(KeyedRecord.of("a", "1"))));
        send(source, batch(7, List.of(KeyedRecord.of("a", "1"), KeyedRecord.of("b", "2"))));
        ByteBuf last = batch(7, List.of(KeyedRecord.of("c", "3")));
        send(source, last.copy());
        LinkCommand.Fetched two = fetch(1);
        append(two.partitions().get(0), two.batches());
        two.batches().release();
        copy(1);
        assertThat(producer(copy, 7).getNextSequence()).isEqualTo(3);
        openCopy(1);

        PublishOutcome again = send(copy, last);
        assertThat(again.duplicate()).as("it was never copied").isFalse();
        assertThat(again.baseOffset()).isEqualTo(2);
    }

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12})
    void whateverHappensTheCopyIsABeginningOfItsSourceAndInTheEndTheSame(long seed) {
        SplittableRandom random = new SplittableRandom(seed);
        member = source.join(TOPIC, "g", Map.of());
        for (int action = 0; action < 300; action++) {
            act(random);
            assertThat(partition(copy).endOffset).isLessThanOrEqualTo(partition(source).endOffset);
            producers(copy)
                    .forEach((id, producer) -> producer.getWindowList()
                            .forEach(batch -> assertThat(batch.getBaseOffset()).isLessThan(partition(copy).endOffset)));
        }
        fence(1);
        LinkCommand.Exported last = export();
        copyAll();
        assertThat(copyGroups(last)).isTrue();
        LinkCommand.FetchedPartition end = last.partitions().get(0);
        append(new LinkCommand.FetchedPartition(0, end.start(), end.end(), end.end(), 0, 0, end.beside()), null);
        openCopy(1);

        assertThat(producers(copy)).isEqualTo(producers(source));
        assertThat(partition(copy).keys.size()).isEqualTo(partition(source).keys.size());
        assertThat(groups(copy)).isEqualTo(groups(source));
        copy.kill();
        assertThat(producers(copy)).isEqualTo(producers(source));
        assertThat(groups(copy)).isEqualTo(groups(source));
        lastSent.forEach((producer, batch) -> {
            ProducerState known = producer(source, producer);
            PublishOutcome again = send(copy, batch.copy());
            assertThat(again.duplicate()).as("producer %d", producer).isTrue();
            assertThat(known.getNextSequence()).isEqualTo(nextSequence.get(producer));
        });
    }

    private void act(SplittableRandom random) {
        switch (random.nextInt(12)) {
            case 0, 1, 2, 3 -> publishSome(random);
            case 4 -> publish(source, KeyedRecord.of("k" + random.nextInt(30), "v"));
            case 5, 6 -> copy(1 + random.nextInt(400));
            case 7 -> {
                if (random.nextInt(4) == 0) {
                    copy.kill();
                } else {
                    copy.step();
                }
            }
            case 8 -> settleSome(random);
            case 9 -> copyGroups(export());
            case 10 -> {
                if (random.nextInt(6) == 0) {
                    purge(random);
                }
            }
            default -> mirror();
        }
    }

    private void publishSome(SplittableRandom random) {
        long producer = 1 + random.nextInt(3);
        List<KeyedRecord> records = new ArrayList<>();
        for (int i = random.nextInt(3); i >= 0; i--) {
            boolean keyed = random.nextBoolean();
            records.add(keyed ? KeyedRecord.of("k" + random.nextInt(30), "v") : new KeyedRecord(null, "plain", -1));
        }
        ByteBuf batch = batch(producer, records);
        ByteBuf before = lastSent.put(producer, batch.copy());
        if (before != null) {
            before.release();
        }
        send(source, batch);
        if (random.nextInt(4) == 0) {
            send(source, lastSent.get(producer).copy());
        }
    }

    private void settleSome(SplittableRandom random) {
        for (TestMember.Delivered record : List.copyOf(member.received)) {
            int what = random.nextInt(4);
            if (what < 2) {
                // Some were settled in an earlier round, and are refused.
                source.settle(
                        member,
                        record,
                        AckItem.newBuilder().setOutcome(what == 0 ? 0 : 1).setDelayMs(3_600_000));
            }
        }
        member.received.clear();
    }

    private void purge(SplittableRandom random) {
        long start = source.state().log.startOffset(partition(source).id);
        long end = partition(source).visibleEnd;
        if (start < end) {
            Start before = Start.newBuilder()
                    .setKind(GroupAdministration.START_OFFSET)
                    .setOffset(random.nextLong(start, end + 1))
                    .build();
            source.<Object>ask(reply -> purge(before, cast(reply)));
        }
    }

    private ShardCommand purge(Start before, Reply<List<io.spillway.protocol.v1.PartitionInfo>> reply) {
        return new ShardCommand.PurgeTopic(source.topicId(TOPIC), before, 0, reply);
    }

    @SuppressWarnings("unchecked")
    private static <T> Reply<T> cast(Reply<?> reply) {
        return (Reply<T>) reply;
    }
}
