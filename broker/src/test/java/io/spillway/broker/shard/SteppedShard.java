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
import io.spillway.protocol.RecordBatchWriter;
import io.spillway.protocol.RecordParts;
import io.spillway.protocol.v1.Durability;
import io.spillway.protocol.v1.PartitionInfo;
import io.spillway.protocol.v1.Start;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.SplittableRandom;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** A shard without threads, stepped by hand, whose time and syncs a test controls. */
final class SteppedShard implements AutoCloseable {
    static final LogConfig LOG =
            LogConfig.defaults().withSegmentBytes(256 << 10).withMinFreeBytes(0).withSegmentMaxAgeMs(60_000);
    static final ShardConfig CONFIG = ShardConfig.DEFAULT;

    private static final UnpooledByteBufAllocator ALLOCATOR = new UnpooledByteBufAllocator(true, true);
    private static final int MAX_TURNS = 10_000;

    /** Stands until it is moved. */
    static final class StillClock implements Clock {
        long nowMs = 1_700_000_000_000L;

        @Override
        public long nowMs() {
            return nowMs;
        }

        @Override
        public long nanoTime() {
            return nowMs * 1_000_000;
        }
    }

    /** What became of a publish; neither is set while it waits. */
    static final class Sent implements PublisherPort {
        @Nullable
        PublishOutcome outcome;

        @Nullable
        SpillwayException refusal;

        @Override
        public void appended(ShardCommand.Publish command, PublishOutcome became) {
            outcome = became;
        }

        @Override
        public void refused(ShardCommand.Publish command, SpillwayException why) {
            refusal = why;
        }

        boolean isAnswered() {
            return outcome != null || refusal != null;
        }

        PublishOutcome outcome() {
            return Objects.requireNonNull(outcome, () -> "no outcome; refused: " + refusal);
        }

        SpillwayException refusal() {
            return Objects.requireNonNull(refusal, () -> "not refused; outcome: " + outcome);
        }
    }

    /** An answer that came at once or comes later. */
    static final class Answer<T> implements Reply<T> {
        @Nullable
        T result;

        @Nullable
        SpillwayException refusal;

        @Override
        public void ok(T answered) {
            result = answered;
        }

        @Override
        public void failed(SpillwayException why) {
            refusal = why;
        }

        T result() {
            if (refusal != null) {
                throw refusal;
            }
            return Objects.requireNonNull(result);
        }
    }

    final StillClock clock;
    final Path directory;
    final ShardCounters counters = new ShardCounters();
    final Mailbox mailbox = new Mailbox();
    final ShardState state;
    final InlineSyncer syncer;
    private final ShardLog log;
    private final ShardAgent agent;
    private final ShardConfig config;

    SteppedShard(Path directory) {
        this(directory, new StillClock(), CONFIG);
    }

    SteppedShard(Path directory, StillClock clock, ShardConfig config) {
        this.directory = directory;
        this.clock = clock;
        this.config = config;
        log = ShardLog.open(directory, LOG, clock);
        state = new ShardState(0, log, config, new Published<>(TopicCatalog.EMPTY), clock.nowMs << 20);
        long snapshotSequence = Recovery.run(state);
        syncer = new InlineSyncer(log.snapshots(), clock);
        agent = new ShardAgent(
                state, mailbox, syncer, clock, counters, new Alone(), new SplittableRandom(1), snapshotSequence);
    }

    private static final class Alone implements ShardAgent.Neighbours {
        @Override
        public int shards() {
            return 1;
        }

        @Override
        public void catalogChanged() {}

        @Override
        public void requestDeadLetterTopic(TopicSpec origin) {
            throw new IllegalStateException("shard 0 creates it itself");
        }
    }

    ShardLoad load() {
        return agent.load();
    }

    /** Turns until there is nothing to do at this time. */
    void run() {
        int turns = 0;
        while (agent.doWork() > 0) {
            if (++turns > MAX_TURNS) {
                throw new IllegalStateException("the shard does not come to rest");
            }
        }
    }

    /** Lets time pass in ticks. */
    void pass(long ms) {
        for (long left = ms; left > 0; left -= 10) {
            clock.nowMs += Math.min(10, left);
            run();
        }
    }

    <T> T ask(java.util.function.Function<Reply<T>, ShardCommand> command) {
        Answer<T> answer = new Answer<>();
        mailbox.offer(command.apply(answer));
        run();
        return answer.result();
    }

    TopicSpec createTopic(String name, int partitions, Map<String, String> settings) {
        return ask(reply -> new ShardCommand.CreateTopic(name, partitions, settings, reply));
    }

    TopicSpec alterTopic(String name, Map<String, String> changes) {
        return ask(reply -> new ShardCommand.AlterTopic(name, changes, 0, reply));
    }

    List<PartitionInfo> purge(TopicSpec topic, Start before) {
        return ask(reply -> new ShardCommand.PurgeTopic(topic.topicId(), before, 0, reply));
    }

    List<PartitionInfo> describe(TopicSpec topic) {
        return ask(reply -> new ShardCommand.DescribeTopic(topic.topicId(), reply));
    }

    /** A stored record that a publisher without sequence sends: its value, without key. */
    Sent publish(TopicSpec topic, int partition, String... values) {
        Sent sent = send(topic, partition, values);
        run();
        return sent;
    }

    /** Puts a publish of these values into the mailbox. */
    Sent send(TopicSpec topic, int partition, String... values) {
        return send(
                topic,
                partition,
                Stream.of(values)
                        .map(value ->
                                RecordParts.of(clock.nowMs, value.getBytes(java.nio.charset.StandardCharsets.UTF_8)))
                        .toList());
    }

    Sent publish(TopicSpec topic, int partition, List<RecordParts> records) {
        Sent sent = send(topic, partition, records);
        run();
        return sent;
    }

    /** Puts a publish into the mailbox. */
    Sent send(TopicSpec topic, int partition, List<RecordParts> records) {
        Sent sent = new Sent();
        mailbox.offer(command(sent, topic, partition, records));
        return sent;
    }

    /** A further attempt of a publisher that has tried for so long. */
    Sent retry(TopicSpec topic, List<RecordParts> records, int retriedForMs) {
        Sent sent = new Sent();
        mailbox.offer(command(sent, topic, 0, records).retriedFor(retriedForMs));
        run();
        return sent;
    }

    /** As a producer that numbers its records; a batch that is sent again has the same sequence and records. */
    Sent publish(TopicSpec topic, long producerId, long sequence, List<RecordParts> records) {
        Sent sent = new Sent();
        mailbox.offer(command(sent, topic, 0, batch(records, producerId, sequence)));
        run();
        return sent;
    }

    private ShardCommand.Publish command(Sent sent, TopicSpec topic, int partition, List<RecordParts> records) {
        return command(sent, topic, partition, batch(records, 0, 0));
    }

    private ShardCommand.Publish command(Sent sent, TopicSpec topic, int partition, ByteBuf batch) {
        return ShardCommand.Publish.of(
                sent,
                topic.partitionId(partition),
                batch,
                Batches.isKeyed(batch, 0),
                0,
                clock.nanoTime(),
                0,
                Durability.DUR_DEFAULT);
    }

    static ByteBuf batch(List<RecordParts> records) {
        return batch(records, 0, 0);
    }

    private static ByteBuf batch(List<RecordParts> records, long producerId, long sequence) {
        RecordBatchWriter writer = new RecordBatchWriter(ALLOCATOR, 1 << 20);
        records.forEach(writer::add);
        RecordBatchWriter.Batch parts = writer.finish(producerId, 0, sequence);
        ByteBuf batch = ALLOCATOR.directBuffer(parts.bytes());
        batch.writeBytes(parts.head()).writeBytes(parts.body());
        parts.release();
        writer.release();
        return batch;
    }

    /** What a process leaves that is killed now, opened anew in another directory; this shard is over. */
    SteppedShard killed(Path elsewhere) {
        copyTree(directory, elsewhere);
        close();
        return new SteppedShard(elsewhere, clock, config);
    }

    /** Ends cleanly and opens again. */
    SteppedShard restarted() {
        close();
        return new SteppedShard(directory, clock, config);
    }

    @Override
    public void close() {
        syncer.held = false;
        syncer.afterForce = () -> {};
        agent.close();
        log.close();
    }

    static void copyTree(Path from, Path to) {
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
}
