package io.spillway.broker.shard;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.UnpooledByteBufAllocator;
import io.spillway.broker.base.Clock;
import io.spillway.broker.base.Published;
import io.spillway.broker.base.SpillwayException;
import io.spillway.broker.catalog.TopicCatalog;
import io.spillway.broker.catalog.TopicSpec;
import io.spillway.broker.log.LogConfig;
import io.spillway.broker.log.ShardLog;
import io.spillway.broker.log.SnapshotStore;
import io.spillway.broker.log.SyncPoint;
import io.spillway.broker.records.PartitionTrimmed;
import io.spillway.broker.records.StateRecord;
import io.spillway.broker.records.StateRecords;
import io.spillway.protocol.RecordBatchWriter;
import io.spillway.protocol.RecordParts;
import io.spillway.protocol.v1.AckItem;
import io.spillway.protocol.v1.Durability;
import io.spillway.protocol.v1.GroupInfo;
import io.spillway.protocol.v1.ItemError;
import io.spillway.protocol.v1.Start;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.SplittableRandom;
import java.util.function.BooleanSupplier;
import java.util.function.Function;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * One shard in a directory, stepped by hand, with a clock that stands still until it is told to move. Topics are MAPPED
 * unless they say otherwise, so that what is published is visible at once.
 */
public final class ShardFixture implements AutoCloseable {
    public static final int SHARED = 0;
    private static final int MAX_TURNS = 100;
    private static final LogConfig LOG =
            LogConfig.defaults().withSegmentBytes(1 << 20).withMinFreeBytes(0).withSegmentMaxAgeMs(3_600_000);

    /** A clock that stands still until it is told to move. */
    public static final class FakeClock implements Clock {
        private long nowMs = 1_000_000_000;

        public void advance(long ms) {
            nowMs += ms;
        }

        @Override
        public long nowMs() {
            return nowMs;
        }

        @Override
        public long nanoTime() {
            return nowMs * 1_000_000;
        }
    }

    /** Forces the log in the turn that asks for it. */
    private final class SyncAtOnce implements Syncer {
        private final SnapshotStore snapshots;
        private final Clock clock;
        private @Nullable Done done;

        SyncAtOnce(SnapshotStore snapshots, Clock clock) {
            this.snapshots = snapshots;
            this.clock = clock;
        }

        @Override
        public void start(SyncPoint point, @Nullable SnapshotJob snapshot) {
            try {
                point.force();
                if (snapshot != null) {
                    snapshots.write(snapshot.sequence(), snapshot.bytes());
                }
                done = new Done(point, snapshot == null ? -1 : snapshot.sequence(), null, 0, clock.nanoTime());
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }

        @Override
        public @Nullable Done poll() {
            if (holdsSyncs) {
                return null;
            }
            Done ended = done;
            done = null;
            return ended;
        }
    }

    public final FakeClock clock = new FakeClock();
    final ShardCounters counters = new ShardCounters();
    private LogConfig logConfig = LOG;
    private Path directory;
    private int kills;
    /** Whether lanes of replays have to wait. */
    public boolean holdsReplays;
    /** Whether the disk takes for ever. */
    boolean holdsSyncs;

    private final ShardConfig config;
    private Mailbox mailbox = new Mailbox();
    private @Nullable ShardLog log;
    private @Nullable ShardAgent agent;
    private @Nullable ShardState state;

    public ShardFixture(Path directory) {
        this(directory, ShardConfig.DEFAULT);
    }

    ShardFixture(Path directory, ShardConfig config) {
        this.directory = directory;
        this.config = config;
        open();
    }

    private void open() {
        clock.advance(1);
        mailbox = new Mailbox();
        log = ShardLog.open(directory, logConfig, clock);
        state = new ShardState(0, log, config, new Published<>(TopicCatalog.EMPTY), clock.nowMs() << 20);
        long snapshot = Recovery.run(state);
        Syncer syncer = new SyncAtOnce(log.snapshots(), clock);
        agent = new ShardAgent(state, mailbox, syncer, clock, counters, alone(), new SplittableRandom(7), snapshot);
    }

    private ShardAgent.Neighbours alone() {
        return new ShardAgent.Neighbours() {
            @Override
            public boolean holdsReplays() {
                return holdsReplays;
            }

            @Override
            public int shards() {
                return 1;
            }

            @Override
            public void catalogChanged() {}

            @Override
            public void requestDeadLetterTopic(TopicSpec origin) {
                throw new AssertionError("shard 0 creates it itself");
            }
        };
    }

    /** Ends in order, with a snapshot, and starts again. */
    void restart() {
        agent().close();
        shut();
        open();
    }

    /** Ends as a killed process does: what it leaves is the files as they are now, which are opened somewhere else. */
    public void kill() {
        Path left = directory.resolveSibling("killed-" + kills++);
        copyTree(directory, left);
        close();
        directory = left;
        open();
    }

    /** Ends in order and starts again on a disk that is full but for a reserve: below the watermark, above the floor. */
    public void restartOnFullDisk() throws IOException {
        long usableBytes = Files.getFileStore(directory).getUsableSpace();
        logConfig = LOG.withMinFreeBytes(usableBytes + usableBytes / 2);
        restart();
    }

    private static void copyTree(Path from, Path to) {
        try (Stream<Path> tree = Files.walk(from)) {
            for (Path path : tree.toList()) {
                Path target = to.resolve(from.relativize(path));
                if (Files.isDirectory(path)) {
                    Files.createDirectories(target);
                } else {
                    Files.copy(path, target);
                }
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private void shut() {
        Objects.requireNonNull(log).close();
    }

    @Override
    public void close() {
        holdsSyncs = false;
        agent().close();
        shut();
    }

    private ShardAgent agent() {
        return Objects.requireNonNull(agent);
    }

    ShardState state() {
        return Objects.requireNonNull(state);
    }

    /** One turn, some time later: what waits for a flush or a tick is done. */
    public void step() {
        clock.advance(10);
        agent().doWork();
    }

    /** Turns, a tick apart, until this is so. */
    public void until(BooleanSupplier condition, String what) {
        for (int turn = 0; turn < MAX_TURNS; turn++) {
            step();
            if (condition.getAsBoolean()) {
                return;
            }
        }
        throw new AssertionError("after " + MAX_TURNS + " turns there is still not: " + what);
    }

    /** A clock that moves on, with a turn after it. */
    public void pass(long ms) {
        clock.advance(ms);
        step();
        step();
    }

    private static final class Answer<T> implements Reply<T> {
        @Nullable
        T result;

        @Nullable
        SpillwayException failure;

        @Override
        public void ok(T answer) {
            result = answer;
        }

        @Override
        public void failed(SpillwayException why) {
            failure = why;
        }
    }

    <T> T ask(Function<Reply<T>, ShardCommand> command) {
        Answer<T> answer = new Answer<>();
        mailbox.offer(command.apply(answer));
        until(() -> answer.result != null || answer.failure != null, "an answer");
        if (answer.failure != null) {
            throw answer.failure;
        }
        return Objects.requireNonNull(answer.result);
    }

    public TopicSpec createTopic(String name, Map<String, String> settings) {
        return createTopic(name, 1, settings);
    }

    public TopicSpec createTopic(String name, int partitions, Map<String, String> settings) {
        Map<String, String> all = new HashMap<>(Map.of("durability", "mapped"));
        all.putAll(settings);
        return ask(reply -> new ShardCommand.CreateTopic(name, partitions, all, reply));
    }

    int topicId(String name) {
        return state().catalog.get().get(name).topicId();
    }

    public GroupInfo group(String topic, String group) {
        List<GroupInfo> infos = ask(reply -> new ShardCommand.DescribeGroups(topicId(topic), group, reply));
        return infos.get(0);
    }

    GroupChange.Done change(String topic, String group, GroupChange change) {
        return change(topic, group, change, "");
    }

    GroupChange.Done change(String topic, String group, GroupChange change, String reason) {
        return ask(reply -> new ShardCommand.ChangeGroup(topicId(topic), group, change, 0, reason, reply));
    }

    /** The way in, as other threads have it; another one after a restart. */
    public Mailbox mailbox() {
        return mailbox;
    }

    public Published<TopicCatalog> catalog() {
        return state().catalog;
    }

    /** The log takes nothing any more, as after a failed write. */
    public void failLog(Throwable cause) {
        Objects.requireNonNull(log).fail(cause);
    }

    /** Publishes one batch of records with these values to partition 0. */
    public void publish(String topic, String... values) {
        List<RecordParts> records = new ArrayList<>();
        for (String value : values) {
            records.add(RecordParts.of(clock.nowMs(), value.getBytes(StandardCharsets.UTF_8)));
        }
        publish(topic, records);
    }

    public void publish(String topic, List<RecordParts> records) {
        publish(topic, 0, records);
    }

    public PublishOutcome publish(String topic, int partition, List<RecordParts> records) {
        return publish(topic, partition, batch(records));
    }

    /** The records as a client sends them. */
    static ByteBuf batch(List<RecordParts> records) {
        RecordBatchWriter writer = new RecordBatchWriter(UnpooledByteBufAllocator.DEFAULT, 1 << 20);
        records.forEach(writer::add);
        RecordBatchWriter.Batch parts = writer.finish(0, 0, 0);
        ByteBuf batch = UnpooledByteBufAllocator.DEFAULT.directBuffer(parts.bytes());
        batch.writeBytes(parts.head()).writeBytes(parts.body());
        parts.release();
        return batch;
    }

    /** Publishes a batch, and takes it over. */
    PublishOutcome publish(String topic, int partition, ByteBuf batch) {
        TopicSpec spec = state().catalog.get().get(topic);
        Answer<PublishOutcome> answer = new Answer<>();
        PublisherPort port = new PublisherPort() {
            @Override
            public void appended(ShardCommand.Publish command, PublishOutcome outcome) {
                answer.ok(outcome);
            }

            @Override
            public void refused(ShardCommand.Publish command, SpillwayException why) {
                answer.failed(why);
            }
        };
        boolean keyed = Batches.admit(batch, batch.readerIndex());
        mailbox.offer(ShardCommand.Publish.of(
                port, spec.partitionId(partition), batch, keyed, 1, clock.nanoTime(), 0, Durability.DUR_DEFAULT));
        until(() -> answer.result != null || answer.failure != null, "the batch is appended");
        if (answer.failure != null) {
            throw answer.failure;
        }
        return Objects.requireNonNull(answer.result);
    }

    /** A member that begins a new group at the earliest record and is ready for anything. */
    public TestMember join(String topic, String group, Map<String, String> settings) {
        return join(topic, group, SHARED, 30_000, settings);
    }

    public TestMember join(String topic, String group, int mode, int leaseMs, Map<String, String> settings) {
        return join(topic, group, mode, leaseMs, false, settings);
    }

    /** A member that stands by. */
    TestMember standBy(String topic, String group, int mode, int leaseMs) {
        return join(topic, group, mode, leaseMs, true, Map.of());
    }

    private TestMember join(
            String topic, String group, int mode, int leaseMs, boolean standsBy, Map<String, String> settings) {
        TestMember member = new TestMember();
        ShardCommand.Subscribed subscribed = subscribe(member, topic, group, mode, leaseMs, standsBy, settings);
        member.active |= subscribed.active();
        begin(member);
        return member;
    }

    /** Joins at the earliest record of a new group. */
    ShardCommand.Subscribed subscribe(
            SubscriberPort member,
            String topic,
            String group,
            int mode,
            int leaseMs,
            boolean standsBy,
            Map<String, String> settings) {
        Start earliest =
                Start.newBuilder().setKind(GroupAdministration.START_EARLIEST).build();
        return ask(reply -> new ShardCommand.SubscribeGroup(
                topicId(topic), group, mode, earliest, leaseMs, 0, settings, "tester", standsBy, member, reply));
    }

    /** It is ready for anything. */
    void begin(SubscriberPort member) {
        mailbox.offer(new ShardCommand.Grant(member, Long.MAX_VALUE / 2, Long.MAX_VALUE / 2, false));
        step();
    }

    public void leave(TestMember member) {
        ask((Reply<Boolean> reply) -> new ShardCommand.Unsubscribe(member, reply));
    }

    /** The connection of a member ends without a word. */
    void disconnect(TestMember member) {
        mailbox.end(new ShardCommand.Unsubscribe(member, null));
        step();
    }

    /** Settles one record and answers what was refused. */
    public List<ItemError> settle(TestMember member, TestMember.Delivered record, AckItem.Builder how) {
        return settle(member, record, 0, how);
    }

    /** Settles one record and some more behind it. */
    List<ItemError> settle(TestMember member, TestMember.Delivered record, int more, AckItem.Builder how) {
        AckItem item = how.setPartition(record.partition())
                .setFirst(record.offset())
                .setLast(record.offset() + more)
                .setFence(record.fence())
                .build();
        return ask(reply -> new ShardCommand.Settle(member, List.of(item), true, reply));
    }

    /** Partition 0 of a topic begins here from now on, as retention has it. */
    public void trim(String topic, long start) {
        int partition = state().catalog.get().get(topic).partitionId(0);
        state().apply(StateRecords.newBuilder()
                .addRecords(StateRecord.newBuilder()
                        .setPartitionTrimmed(PartitionTrimmed.newBuilder()
                                .setPartitionId(partition)
                                .setStartOffset(start)))
                .build());
    }

    /** All that the dead-letter topic of a topic holds. */
    public List<TestMember.Delivered> deadLetters(String topic) {
        return records(topic + ".dlq");
    }

    /** All that a topic of one partition holds. */
    public List<TestMember.Delivered> records(String name) {
        if (state().catalog.get().find(name) == null) {
            return List.of();
        }
        TestMember reader = new TestMember();
        ask((Reply<ShardCommand.Subscribed> reply) -> new ShardCommand.SubscribeStream(
                topicId(name), List.of(), Start.newBuilder().setKind(1).build(), List.of(), null, reader, reply));
        mailbox.offer(new ShardCommand.Grant(reader, Long.MAX_VALUE / 2, Long.MAX_VALUE / 2, false));
        long end = state().topic(topicId(name)).partitions[0].endOffset;
        until(() -> reader.received.size() >= end, "the records of " + name);
        leave(reader);
        return reader.received;
    }
}
