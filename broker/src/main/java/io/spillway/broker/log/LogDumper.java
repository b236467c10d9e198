package io.spillway.broker.log;

import io.spillway.broker.base.SpillwayException;
import io.spillway.protocol.Code;
import io.spillway.protocol.RecordBatch;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.TreeMap;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/** Lists the entries of a data directory that no broker has open. Changes nothing. */
public final class LogDumper {
    private LogDumper() {}

    /**
     * One entry. Base offset, records and append time are -1, 0 and -1 when it has no batch; intact tells whether the
     * batch matches its checksum.
     */
    @SuppressWarnings("ArrayRecordComponent")
    public record Entry(
            int shard,
            int segment,
            long position,
            long sequence,
            boolean relocated,
            byte @Nullable [] state,
            int partitionId,
            long baseOffset,
            int records,
            int batchBytes,
            long appendTimeMs,
            boolean intact) {}

    /** Hands over the valid entries, shard by shard in order, until there are no more or one is answered with false. */
    public static void dump(Path dataDirectory, Predicate<Entry> out) {
        try (DataDirectory data = DataDirectory.openForReading(dataDirectory)) {
            for (int shard = 0; shard < data.shards(); shard++) {
                LogFiles files = new LogFiles(data.shard(shard));
                TreeMap<Integer, Path> all = files.closedSegments();
                all.putAll(files.openSegments());
                for (var file : all.entrySet()) {
                    if (!dump(shard, file.getKey(), file.getValue(), out)) {
                        return;
                    }
                }
            }
        } catch (IOException e) {
            throw new SpillwayException(
                    Code.STORAGE_ERROR,
                    dataDirectory + " cannot be read",
                    e.toString(),
                    "check the owner and mode of its files, and the disk",
                    0,
                    e);
        }
    }

    private static boolean dump(int shard, int number, Path file, Predicate<Entry> out) throws IOException {
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ);
                SegmentScanner scanner = new SegmentScanner(channel, Files.size(file), 0)) {
            while (scanner.next()) {
                if (!out.test(entry(shard, number, scanner))) {
                    return false;
                }
            }
            return true;
        }
    }

    private static Entry entry(int shard, int number, SegmentScanner scanner) {
        byte[] state = null;
        if (scanner.stateBytes() > 0) {
            state = new byte[scanner.stateBytes()];
            scanner.buffer().getBytes(scanner.stateAt(), state);
        }
        boolean batch = scanner.batchBytes() > 0;
        int at = scanner.batchAt();
        return new Entry(
                shard,
                number,
                scanner.position(),
                scanner.sequence(),
                scanner.relocated(),
                state,
                scanner.partitionId(),
                batch ? RecordBatch.baseOffset(scanner.buffer(), at) : -1,
                batch ? RecordBatch.recordCount(scanner.buffer(), at) : 0,
                scanner.batchBytes(),
                batch ? RecordBatch.appendTimeMs(scanner.buffer(), at) : -1,
                !batch || scanner.batchIntact());
    }
}
