package io.spillway.broker.log;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * What reading every entry of a segment found: its extents (in {@link Segment#extents()}), how far the valid entries
 * reach, and what is wrong. Confined to one thread.
 */
final class SegmentScan {
    final Segment segment;
    private final List<SegmentScanner.Hole> holes = new ArrayList<>();
    private final List<BatchRow> corrupt = new ArrayList<>();
    private long entries;

    /** Where entries that were not kept begin, and how many valid ones there are behind it. */
    private long cutAt = -1;

    private long cutEntries;
    private long lastValidEnd;
    private long tail;

    private SegmentScan(Segment segment) {
        this.segment = segment;
    }

    /**
     * Reads the segment's file up to the limit. The first hole whose sequence is not below {@code syncedSequence}, be
     * it bytes that are no entry or an entry with a corrupt batch, ends the segment: what comes behind it was never
     * synced and may be incomplete. Holes before that are damage, and what follows them counts.
     */
    static SegmentScan run(Segment segment, long limit, long syncedSequence) throws IOException {
        SegmentScan scan = new SegmentScan(segment);
        SegmentIndexer indexer = new SegmentIndexer(segment);
        try (FileChannel channel = FileChannel.open(segment.file(), StandardOpenOption.READ);
                SegmentScanner scanner =
                        new SegmentScanner(channel, Math.min(limit, channel.size()), segment.baseSequence)) {
            while (scanner.next()) {
                scan.lastValidEnd = scanner.end();
                if (scan.cutAt >= 0) {
                    scan.cutEntries++;
                } else {
                    scan.take(scanner, indexer, syncedSequence);
                }
            }
            scan.tail = scanner.tail();
        }
        return scan;
    }

    /** The sequence of the first valid entry of a segment file, or -1. */
    static long firstSequence(Path file) throws IOException {
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ);
                SegmentScanner scanner = new SegmentScanner(channel, channel.size(), 0)) {
            return scanner.next() ? scanner.sequence() : -1;
        }
    }

    private void take(SegmentScanner scanner, SegmentIndexer indexer, long syncedSequence) {
        List<SegmentScanner.Hole> found = scanner.holes();
        if (found.size() > holes.size()) {
            SegmentScanner.Hole hole = found.get(found.size() - 1);
            if (hole.firstSequence() >= syncedSequence) {
                cut(segment.usedBytes());
                return;
            }
            holes.add(hole);
        }
        if (scanner.batchBytes() > 0) {
            BatchRow row =
                    new BatchRow().of(scanner.partitionId(), scanner.relocated(), scanner.buffer(), scanner.batchAt());
            row.position = scanner.position();
            row.entryBytes = scanner.entryBytes();
            row.batchBytes = scanner.batchBytes();
            if (scanner.batchIntact()) {
                indexer.add(row);
            } else if (scanner.sequence() >= syncedSequence) {
                cut(segment.usedBytes());
                return;
            } else {
                corrupt.add(row);
            }
        }
        entries++;
        segment.found(scanner.sequence() + 1, scanner.end());
    }

    private void cut(long at) {
        cutAt = at;
        cutEntries = 1;
    }

    /** Damage among synced entries. */
    List<SegmentScanner.Hole> holes() {
        return holes;
    }

    /** Batches among synced entries whose bytes are corrupt; their record counts may be wrong as well. */
    List<BatchRow> corrupt() {
        return corrupt;
    }

    long entries() {
        return entries;
    }

    /** Whether valid entries stand behind the place where the segment was cut. */
    boolean isCut() {
        return cutAt >= 0;
    }

    long cutEntries() {
        return cutEntries;
    }

    /** Behind the last valid entry, kept or not. */
    long lastValidEnd() {
        return lastValidEnd;
    }

    /** Behind the last valid entry and the documents of Chronicle that follow it. */
    long tail() {
        return tail;
    }

    /** The table of one extent, read from its segment; batches that are gone have no row in it. */
    static long[] table(Extent extent) throws IOException {
        Segment segment = extent.segment;
        Segment copy = new Segment(segment.number, segment.baseSequence, segment.file());
        run(copy, segment.usedBytes(), Long.MAX_VALUE);
        long[] table = new long[extent.rows() * Extent.ROW_LONGS];
        int rows = 0;
        for (Extent found : copy.extents()) {
            if (found.partitionId == extent.partitionId && found.relocated == extent.relocated) {
                for (int row = 0; row < found.rows() && rows < extent.rows(); row++) {
                    long base = Extent.rowBaseOffset(found.table(), row);
                    if (base >= extent.baseOffset && base < extent.endOffset()) {
                        int at = row * Extent.ROW_LONGS;
                        System.arraycopy(found.table(), at, table, rows * Extent.ROW_LONGS, Extent.ROW_LONGS);
                        rows++;
                    }
                }
            }
        }
        return Arrays.copyOf(table, rows * Extent.ROW_LONGS);
    }
}
