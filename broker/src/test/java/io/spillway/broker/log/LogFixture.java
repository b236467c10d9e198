package io.spillway.broker.log;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.buffer.UnpooledByteBufAllocator;
import io.spillway.protocol.RecordBatch;
import io.spillway.protocol.RecordBatchWriter;
import io.spillway.protocol.RecordParts;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** A log in a directory, with batches that say who they are, and ways to harm its files. */
final class LogFixture implements AutoCloseable {
    static final LogConfig SMALL =
            LogConfig.defaults().withSegmentBytes(256 << 10).withMinFreeBytes(0).withSegmentMaxAgeMs(60_000);

    /** Without leak detection, which would record a stack trace for each of millions of accesses. */
    static final ByteBufAllocator ALLOCATOR = new UnpooledByteBufAllocator(true, true);

    final FakeClock clock = new FakeClock();
    final Path directory;
    final LogConfig config;
    private @Nullable ShardLog log;

    LogFixture(Path directory) {
        this(directory, SMALL);
    }

    LogFixture(Path directory, LogConfig config) {
        this.directory = directory;
        this.config = config;
    }

    ShardLog log() {
        if (log == null) {
            log = ShardLog.open(directory, config, clock);
        }
        return log;
    }

    ShardLog reopen() {
        log().close();
        log = null;
        return log();
    }

    /** What a process that was killed leaves behind: the files as they are now, opened somewhere else. */
    LogFixture killed(Path elsewhere) {
        copyTree(directory, elsewhere);
        return new LogFixture(elsewhere, config);
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

    static void deleteTree(Path tree) {
        try (Stream<Path> paths = Files.walk(tree)) {
            for (Path path : paths.sorted(Comparator.reverseOrder()).toList()) {
                Files.delete(path);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Appends a batch of records at the partition's end and returns its base offset. */
    long append(int partition, int records, int recordBytes) {
        long base = log().endOffset(partition);
        ByteBuf batch = batch(partition, base, records, recordBytes, clock.nowMs());
        try {
            log().append(null, partition, batch);
        } finally {
            batch.release();
        }
        return base;
    }

    static ByteBuf batch(int partition, long baseOffset, int records, int recordBytes, long timeMs) {
        RecordBatchWriter writer = new RecordBatchWriter(ALLOCATOR, 1 << 20);
        for (int i = 0; i < records; i++) {
            writer.add(RecordParts.of(timeMs, value(partition, baseOffset + i, recordBytes)));
        }
        RecordBatchWriter.Batch parts = writer.finish(7, 0, baseOffset);
        ByteBuf batch = ALLOCATOR.directBuffer(parts.bytes());
        batch.writeBytes(parts.head()).writeBytes(parts.body());
        parts.release();
        RecordBatch.stamp(batch, 0, baseOffset, 0, timeMs);
        return batch;
    }

    private static byte[] value(int partition, long offset, int bytes) {
        byte[] value = new byte[bytes];
        new Random(partition * 31L + offset).nextBytes(value);
        return value;
    }

    void sync() {
        SyncPoint point = log().syncPoint();
        try {
            point.force();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        log().markSynced(point);
    }

    /** Steps the chores until there is nothing left to do. */
    void maintain() {
        clock.advance(200);
        for (int i = 0; i < 100_000; i++) {
            int done = log().maintain(clock.nowMs(), log().nextSequence());
            sync();
            if (done == 0) {
                return;
            }
        }
        throw new AssertionError("the chores never end");
    }

    /** Reads a partition from an offset to its end, checks each batch and returns "base+count" of each. */
    List<String> read(int partition, long fromOffset) {
        List<String> batches = new ArrayList<>();
        BatchCursor cursor = log().cursor(partition);
        ByteBuf out = ALLOCATOR.directBuffer();
        try {
            for (boolean on = cursor.seek(fromOffset); on; on = cursor.next()) {
                out.clear();
                if (cursor.copyTo(out)) {
                    check(partition, cursor, out);
                    batches.add(cursor.baseOffset() + "+" + cursor.recordCount());
                }
            }
        } finally {
            out.release();
        }
        return batches;
    }

    private static void check(int partition, BatchCursor cursor, ByteBuf batch) {
        int bytes = RecordBatch.validate(batch, 0, batch.readableBytes(), 1 << 20);
        int records = RecordBatch.recordCount(batch, 0);
        int recordBytes = RecordBatch.recordBytes(batch, 0, 0) - 8;
        ByteBuf expected =
                batch(partition, cursor.baseOffset(), records, recordBytes, RecordBatch.appendTimeMs(batch, 0));
        try {
            if (bytes != batch.readableBytes() || !expected.equals(batch)) {
                throw new AssertionError("partition " + partition + " offset " + cursor.baseOffset()
                        + " holds other bytes than were appended");
            }
        } finally {
            expected.release();
        }
    }

    /** All segment files, closed and open, in order. */
    List<Path> segmentFiles() {
        List<Path> all = new ArrayList<>();
        for (String sub : List.of("segments", "active")) {
            try (Stream<Path> list = Files.list(directory.resolve(sub))) {
                list.filter(file -> file.toString().endsWith(".cq4")).sorted().forEach(all::add);
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
        return all;
    }

    @Override
    public void close() {
        if (log != null) {
            log.close();
            log = null;
        }
    }
}
