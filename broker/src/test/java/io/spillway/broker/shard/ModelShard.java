package io.spillway.broker.shard;

import static org.assertj.core.api.Assertions.assertThat;

import io.spillway.broker.base.Clock;
import io.spillway.broker.base.Published;
import io.spillway.broker.base.SpillwayException;
import io.spillway.broker.catalog.TopicCatalog;
import io.spillway.broker.catalog.TopicConfig;
import io.spillway.broker.catalog.TopicSpec;
import io.spillway.broker.log.BatchCursor;
import io.spillway.broker.log.LogConfig;
import io.spillway.broker.log.ShardLog;
import io.spillway.broker.log.SyncPoint;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Function;
import java.util.random.RandomGenerator;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * A shard without threads: a test gives it commands and steps it on a clock it moves by hand. It can die, of a kill or
 * of a power cut, and is opened again from what is then on disk.
 */
final class ModelShard {
    private static final LogConfig LOG =
            LogConfig.defaults().withSegmentBytes(256 << 10).withMinFreeBytes(0).withSegmentMaxAgeMs(60_000);
    private static final int MAX_TURNS = 100_000;

    /** Time that stands still until it is moved. */
    static final class ManualClock implements Clock {
        private long ms = 1_700_000_000_000L;

        void advance(long by) {
            ms += by;
        }

        @Override
        public long nowMs() {
            return ms;
        }

        @Override
        public long nanoTime() {
            return ms * 1_000_000;
        }
    }

    /** Forces at once, or when the test lets it. */
    private final class HeldSyncer implements Syncer {
        private @Nullable SyncPoint point;
        private @Nullable SnapshotJob snapshot;

        @Override
        public void start(SyncPoint newPoint, @Nullable SnapshotJob newSnapshot) {
            point = newPoint;
            snapshot = newSnapshot;
        }

        @Override
        public @Nullable Done poll() {
            SyncPoint due = point;
            if (due == null || holdsSyncs) {
                return null;
            }
            SnapshotJob job = snapshot;
            point = null;
            try {
                due.force();
                if (job != null) {
                    log.snapshots().write(job.sequence(), job.bytes());
                }
                if (wantsImage) {
                    wantsImage = false;
                    dropImage();
                    image = root.resolve("image-" + ++copies);
                    copy(directory, image);
                }
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
            return new Done(due, job == null ? -1 : job.sequence(), null, 0, clock.nanoTime());
        }
    }

    final ManualClock clock = new ManualClock();
    final ShardCounters counters = new ShardCounters();
    private final Path root;
    private final ShardConfig config;
    private final RandomGenerator random;
    private final HeldSyncer syncer = new HeldSyncer();
    private Path directory;
    private int copies;
    private @Nullable Path image;
    private boolean holdsSyncs;
    private boolean wantsImage;
    private Published<TopicCatalog> catalog = new Published<>(TopicCatalog.EMPTY);
    private Mailbox mailbox = new Mailbox();
    ShardLog log;
    ShardState state;
    private ShardAgent agent;

    ModelShard(Path root, ShardConfig config, RandomGenerator random) {
        this.random = random;
        this.root = root;
        this.config = config;
        directory = root.resolve("log-0");
        log = ShardLog.open(directory, LOG, clock);
        state = new ShardState(0, log, config, catalog, clock.nowMs() << 20);
        agent = open();
    }

    private ShardAgent open() {
        long snapshotSequence = Recovery.run(state);
        return new ShardAgent(state, mailbox, syncer, clock, counters, new Alone(), random, snapshotSequence);
    }

    private static final class Alone implements ShardAgent.Neighbours {
        @Override
        public int shards() {
            return 1;
        }

        @Override
        public void catalogChanged() {}

        @Override
        public void requestDeadLetterTopic(TopicSpec origin) {}
    }

    void offer(ShardCommand command) {
        if (!mailbox.offer(command)) {
            throw new AssertionError("the mailbox is full");
        }
    }

    void offer(ShardCommand.Publish publish) {
        if (!mailbox.offer(publish)) {
            throw new AssertionError("the mailbox is full");
        }
    }

    void end(ShardCommand command) {
        mailbox.end(command);
    }

    /** One turn. */
    void step() {
        agent.doWork();
    }

    /** Turns until there is nothing to do. */
    void settle() {
        for (int i = 0; agent.doWork() > 0; i++) {
            if (i > MAX_TURNS) {
                throw new AssertionError("the shard never comes to rest");
            }
        }
    }

    /** Asks and lets time pass until the answer is there. */
    <T> T ask(Function<Reply<T>, ShardCommand> command) {
        holdsSyncs = false;
        AtomicReference<@Nullable T> answer = new AtomicReference<>();
        AtomicReference<@Nullable SpillwayException> refusal = new AtomicReference<>();
        offer(command.apply(new Reply<>() {
            @Override
            public void ok(T result) {
                answer.set(result);
            }

            @Override
            public void failed(SpillwayException why) {
                refusal.set(why);
            }
        }));
        for (int i = 0; i < MAX_TURNS; i++) {
            step();
            T result = answer.get();
            if (result != null) {
                return result;
            }
            SpillwayException why = refusal.get();
            if (why != null) {
                throw why;
            }
            clock.advance(1);
        }
        throw new AssertionError("no answer came");
    }

    void holdSyncs(boolean hold) {
        holdsSyncs = hold;
    }

    /** The next sync leaves an image behind, to which a power cut goes back. */
    void wantImage() {
        wantsImage = true;
    }

    /** Every path to the process dies, the page cache lives: the files as they are now. */
    void kill() {
        Path next = root.resolve("log-" + ++copies);
        copy(directory, next);
        reopen(next);
    }

    /** The machine dies: what was on disk at the image's sync. False, and nothing happens, without an image. */
    boolean cutPower() {
        Path synced = image;
        if (synced == null) {
            return false;
        }
        Path next = root.resolve("log-" + ++copies);
        copy(synced, next);
        reopen(next);
        return true;
    }

    private void reopen(Path next) {
        // What the old process does from here on, nobody sees; its buffers go back.
        holdsSyncs = false;
        wantsImage = false;
        agent.close();
        log.close();
        delete(directory);
        directory = next;
        // The new process has other fences and an empty mailbox.
        clock.advance(10);
        holdsSyncs = false;
        syncer.point = null;
        mailbox = new Mailbox();
        catalog = new Published<>(TopicCatalog.EMPTY);
        log = ShardLog.open(directory, LOG, clock);
        state = new ShardState(0, log, config, catalog, clock.nowMs() << 20);
        agent = open();
    }

    /** From its start to its end a partition can be read, batch by batch. */
    void checkReadable(String step, Partition partition) {
        BatchCursor cursor = log.cursor(partition.id);
        long at = log.startOffset(partition.id);
        for (boolean on = cursor.seek(at); on; on = cursor.next()) {
            assertThat(cursor.baseOffset())
                    .as("%s: the batch of %s behind %d", step, partition, at)
                    .isLessThanOrEqualTo(at);
            at = cursor.endOffset();
        }
        assertThat(at).as("%s: the end of %s", step, partition).isEqualTo(partition.endOffset);
    }

    /** Ends as a broker does that is told to. */
    void close() {
        holdsSyncs = false;
        agent.close();
        log.close();
        delete(directory);
        dropImage();
    }

    private void dropImage() {
        Path old = image;
        if (old != null) {
            delete(old);
            image = null;
        }
    }

    private static void copy(Path from, Path to) {
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

    private static void delete(Path tree) {
        try (Stream<Path> paths = Files.walk(tree)) {
            for (Path path : paths.sorted(Comparator.reverseOrder()).toList()) {
                Files.delete(path);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    static ShardConfig config(int groupWindow) {
        return new ShardConfig(
                1_000, 5, 64 << 10, 5_000, 30_000, 10_000, 0, groupWindow, 256L << 20, true, TopicConfig.DEFAULT);
    }
}
