package io.spillway.broker.log;

import java.io.IOException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import org.agrona.collections.Int2ObjectHashMap;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What the log holds: its segments in order, and for each partition its extents. Also keeps the segment files that are
 * read open, at most {@value #MAX_OPEN}. Confined to the shard thread.
 */
final class LogIndex {
    private static final Logger LOG = LoggerFactory.getLogger(LogIndex.class);
    private static final int MAX_OPEN = 64;

    private final LogFiles files;
    private final List<Segment> segments = new ArrayList<>();
    private final Int2ObjectHashMap<PartitionLog> partitions = new Int2ObjectHashMap<>();
    private final ArrayDeque<Segment> open = new ArrayDeque<>();
    private final ExtentTables tables = new ExtentTables(this::loadTable);

    LogIndex(LogFiles files) {
        this.files = files;
    }

    LogFiles files() {
        return files;
    }

    List<Segment> segments() {
        return segments;
    }

    ExtentTables tables() {
        return tables;
    }

    Int2ObjectHashMap<PartitionLog> partitions() {
        return partitions;
    }

    @Nullable
    PartitionLog partition(int partitionId) {
        return partitions.get(partitionId);
    }

    PartitionLog partitionOrNew(int partitionId) {
        PartitionLog partition = partitions.get(partitionId);
        if (partition == null) {
            partition = new PartitionLog(partitionId);
            partitions.put(partitionId, partition);
        }
        return partition;
    }

    /** The manifest of the present segments. */
    Manifest manifest(boolean clean, int active, long nextSequence) {
        List<Manifest.Row> rows = new ArrayList<>(segments.size());
        for (Segment segment : segments) {
            if (segment.number != active) {
                rows.add(new Manifest.Row(
                        segment.number, segment.baseSequence, segment.endSequence(), segment.usedBytes()));
            }
        }
        return new Manifest(clean, active, nextSequence, rows);
    }

    /** The reader of a segment, opened when it is not. */
    SegmentReader reader(Segment segment) throws IOException {
        SegmentReader reader = segment.reader();
        if (reader == null) {
            if (open.size() >= MAX_OPEN) {
                open.removeFirst().closeReader();
            }
            reader = SegmentReader.open(segment.file());
            segment.reader(reader);
            open.addLast(segment);
        }
        return reader;
    }

    void remove(Segment segment) {
        segment.closeFiles();
        open.remove(segment);
        segments.remove(segment);
    }

    /** From the footer; when that is damaged from the segment itself; when that is unreadable as well, nothing. */
    private long[] loadTable(Extent extent) {
        try {
            return SegmentFooter.readTable(files.footer(extent.segment.number), extent);
        } catch (IOException e) {
            warn(extent, "footer", e);
        }
        try {
            return SegmentScan.table(extent);
        } catch (IOException e) {
            warn(extent, "segment", e);
            return new long[0];
        }
    }

    private static void warn(Extent extent, String file, IOException why) {
        LOG.error(
                "what=\"{} cannot be read\" segment={} partition={} from={} to={} why=\"{}\""
                        + " next=\"run spillway log verify\"",
                file,
                extent.segment.file(),
                extent.partitionId,
                extent.from(),
                extent.to(),
                why.toString());
    }

    void close() {
        for (Segment segment : segments) {
            segment.closeFiles();
        }
    }
}
