package io.spillway.bench;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.PooledByteBufAllocator;
import io.spillway.broker.base.Clock;
import io.spillway.broker.base.Published;
import io.spillway.broker.base.SpillwayException;
import io.spillway.broker.catalog.TopicCatalog;
import io.spillway.broker.catalog.TopicSpec;
import io.spillway.broker.log.LogConfig;
import io.spillway.broker.log.ShardLog;
import io.spillway.broker.shard.PublishOutcome;
import io.spillway.broker.shard.PublisherPort;
import io.spillway.broker.shard.Reply;
import io.spillway.broker.shard.Shard;
import io.spillway.broker.shard.ShardCommand;
import io.spillway.broker.shard.ShardConfig;
import io.spillway.protocol.Limits;
import io.spillway.protocol.RecordBatch;
import io.spillway.protocol.RecordBatchWriter;
import io.spillway.protocol.RecordParts;
import io.spillway.protocol.v1.Durability;
import java.io.IOException;
import java.io.PrintStream;
import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Semaphore;

/**
 * Fills one partition with records under idempotency keys of their own, then closes and opens its shard, three times.
 * {@code ReopenKeys KEYS VALUE_BYTES [WINDOW]}: the partition remembers so many of the keys, all when it is not given.
 */
public final class ReopenKeys {
    private static final int BATCH_RECORDS = 800;
    private static final int KEY_BYTES = 24;
    private static final int OPENINGS = 3;
    private static final int IN_FLIGHT = 64;
    private static final long CLOSE_MS = 120_000;

    private final int keys;
    private final int window;
    private final int valueBytes;
    private final Path directory;
    private final PrintStream out;

    private ReopenKeys(int keys, int window, int valueBytes, Path directory, PrintStream out) {
        this.keys = keys;
        this.window = window;
        this.valueBytes = valueBytes;
        this.directory = directory;
        this.out = out;
    }

    public static void main(String[] args) throws IOException {
        int keys = Integer.parseInt(args[0]);
        int window = args.length > 2 ? Integer.parseInt(args[2]) : keys;
        Path directory = Files.createTempDirectory("reopen-keys");
        try {
            ReopenKeys run = new ReopenKeys(keys, window, Integer.parseInt(args[1]), directory, System.out);
            run.fill();
            for (int i = 0; i < OPENINGS; i++) {
                run.reopen();
            }
        } finally {
            Directories.delete(directory);
        }
    }

    private Shard open() {
        return Shard.open(
                0,
                () -> ShardLog.open(directory, LogConfig.defaults(), Clock.SYSTEM),
                ShardConfig.DEFAULT,
                Clock.SYSTEM,
                new SplittableRandom(1),
                new Published<>(TopicCatalog.EMPTY));
    }

    private void fill() {
        long startNs = System.nanoTime();
        Shard shard = open();
        shard.start(List.of(shard));
        Answer<TopicSpec> created = new Answer<>();
        shard.mailbox()
                .offer(new ShardCommand.CreateTopic(
                        "orders",
                        1,
                        Map.of(
                                "durability",
                                "mapped",
                                "dedup.window.keys",
                                Integer.toString(window),
                                "dedup.window.ms",
                                "2592000000"),
                        created));
        int partitionId = created.future.join().partitionId(0);
        Port port = new Port();
        byte[] value = new byte[valueBytes];
        for (int first = 0; first < keys; first += BATCH_RECORDS) {
            port.free.acquireUninterruptibly();
            ByteBuf batch = batch(first, Math.min(keys, first + BATCH_RECORDS), value);
            ShardCommand.Publish publish = ShardCommand.Publish.of(
                    port, partitionId, batch, true, 0, System.nanoTime(), 0, Durability.DUR_MAPPED);
            while (!shard.mailbox().offer(publish)) {
                Thread.onSpinWait();
            }
        }
        port.free.acquireUninterruptibly(IN_FLIGHT);
        if (!shard.close(CLOSE_MS)) {
            throw new IllegalStateException("the shard did not end well: " + shard.failure());
        }
        out.printf("filled with %,d keys in %,d ms%n", keys, (System.nanoTime() - startNs) / 1_000_000);
    }

    private static ByteBuf batch(int first, int end, byte[] value) {
        RecordBatchWriter writer = new RecordBatchWriter(PooledByteBufAllocator.DEFAULT, Limits.MAX_BATCH_BYTES);
        for (int i = first; i < end; i++) {
            byte[] key = new byte[KEY_BYTES];
            ByteBuffer.wrap(key).putLong(i * 0x9e3779b97f4a7c15L).putLong(i);
            writer.add(new RecordParts(0, null, 0, List.of(), value, key, null, -1, -1));
        }
        RecordBatchWriter.Batch parts = writer.finish(0, 0, 0);
        ByteBuf batch = PooledByteBufAllocator.DEFAULT.directBuffer(parts.bytes());
        batch.writeBytes(parts.head()).writeBytes(parts.body());
        parts.release();
        writer.release();
        RecordBatch.validate(batch, 0, batch.readableBytes(), Limits.MAX_BATCH_BYTES);
        return batch;
    }

    private void reopen() {
        long startNs = System.nanoTime();
        long startCpuNs = ManagementFactory.getThreadMXBean().getCurrentThreadCpuTime();
        Shard shard = open();
        long tookMs = (System.nanoTime() - startNs) / 1_000_000;
        long cpuMs = (ManagementFactory.getThreadMXBean().getCurrentThreadCpuTime() - startCpuNs) / 1_000_000;
        out.printf("opened in %,d ms, of it %,d ms on the CPU%n", tookMs, cpuMs);
        shard.start(List.of(shard));
        shard.close(CLOSE_MS);
    }

    /** Counts what is not answered yet. */
    private static final class Port implements PublisherPort {
        final Semaphore free = new Semaphore(IN_FLIGHT);

        @Override
        public void appended(ShardCommand.Publish command, PublishOutcome outcome) {
            if (outcome.duplicate() || !outcome.errors().isEmpty()) {
                throw new IllegalStateException("a new key was not new: " + outcome);
            }
            free.release();
        }

        @Override
        public void refused(ShardCommand.Publish command, SpillwayException why) {
            throw why;
        }
    }

    private static final class Answer<T> implements Reply<T> {
        final CompletableFuture<T> future = new CompletableFuture<>();

        @Override
        public void ok(T result) {
            future.complete(result);
        }

        @Override
        public void failed(SpillwayException why) {
            future.completeExceptionally(why);
        }
    }
}
