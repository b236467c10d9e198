package io.spillway.broker.log;

import org.agrona.collections.Int2ObjectHashMap;
import org.jspecify.annotations.Nullable;

/**
 * Sorts the batches of one segment, in the order they stand there, into extents. Confined to one thread; the same code
 * indexes what is appended and what is read back.
 */
final class SegmentIndexer {
    private final Segment segment;
    private final Int2ObjectHashMap<Extent> tails = new Int2ObjectHashMap<>();
    private final Int2ObjectHashMap<Extent> copies = new Int2ObjectHashMap<>();

    SegmentIndexer(Segment segment) {
        this.segment = segment;
    }

    /** Adds a batch and returns its extent, which is new when the batch is its only row. */
    Extent add(BatchRow row) {
        Int2ObjectHashMap<Extent> open = row.relocated ? copies : tails;
        @Nullable Extent extent = open.get(row.partitionId);
        if (extent == null || !extent.takes(row.baseOffset)) {
            extent = new Extent(segment, row.partitionId, row.relocated, row.baseOffset);
            open.put(row.partitionId, extent);
            segment.extents().add(extent);
        }
        extent.add(row);
        return extent;
    }
}
