package io.spillway.broker.log;

import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Where one partition's batches are: its extents in offset order, without overlap, perhaps with gaps where data was
 * lost. Confined to the shard thread.
 */
final class PartitionLog {
    final int partitionId;

    private Extent[] extents = new Extent[4];
    private int size;
    private long startOffset;
    private long endOffset;
    private long bytes;

    /** Changes whenever an extent was taken away or replaced, so that cursors look again. */
    private int version;

    PartitionLog(int partitionId) {
        this.partitionId = partitionId;
    }

    long startOffset() {
        return startOffset;
    }

    long endOffset() {
        return endOffset;
    }

    long bytes() {
        return bytes;
    }

    int version() {
        return version;
    }

    int size() {
        return size;
    }

    Extent extent(int i) {
        return extents[i];
    }

    /** Start and end at least here; for partitions whose data is gone. */
    void raise(long start, long end) {
        startOffset = Math.max(startOffset, start);
        endOffset = Math.max(endOffset, Math.max(end, startOffset));
    }

    void grew(Extent extent, int batchBytes) {
        endOffset = extent.to();
        bytes += batchBytes;
        extent.segment.live(batchBytes, 0);
    }

    /** Adds an extent behind all others. */
    void addLast(Extent extent) {
        insert(size, extent);
    }

    private void insert(int at, Extent extent) {
        if (size == extents.length) {
            extents = Arrays.copyOf(extents, size * 2);
        }
        System.arraycopy(extents, at, extents, at + 1, size - at);
        extents[at] = extent;
        size++;
        endOffset = Math.max(endOffset, extent.to());
        bytes += extent.liveBytes();
        extent.segment.live(extent.liveBytes(), 1);
    }

    /**
     * Adds an extent that was found on disk; what older extents already cover of it is left out. Only when a part is
     * covered is its table needed.
     */
    void addFound(Extent extent, ExtentTables tables) {
        if (size == 0 || extent.from() >= extents[size - 1].to()) {
            if (size == 0) {
                startOffset = Math.max(startOffset, extent.from());
            }
            addLast(extent);
            return;
        }
        long at = extent.from();
        for (int i = 0; i <= size && at < extent.to(); i++) {
            long gapEnd = i == size ? extent.to() : Math.min(extents[i].from(), extent.to());
            if (at < gapEnd) {
                insert(i, tables.part(extent, at, gapEnd));
                version++;
                i++;
            }
            if (i < size) {
                at = Math.max(at, extents[i].to());
            }
        }
        startOffset = Math.min(startOffset, extents[0].from());
    }

    /** The index of the first extent that ends after the offset; size() when there is none. */
    int firstEndingAfter(long offset) {
        int low = 0;
        int high = size;
        while (low < high) {
            int middle = (low + high) >>> 1;
            if (extents[middle].to() > offset) {
                high = middle;
            } else {
                low = middle + 1;
            }
        }
        return low;
    }

    /** Gives up everything below the offset, whole batches at a time. */
    void trim(long newStart, ExtentTables tables) {
        if (newStart <= startOffset) {
            return;
        }
        int keep = firstEndingAfter(newStart);
        if (keep < size && extents[keep].from() < newStart && !narrow(extents[keep], newStart, tables)) {
            keep++;
        }
        for (int i = 0; i < keep; i++) {
            release(extents[i]);
        }
        removeRange(0, keep);
        raise(newStart, newStart);
        version++;
    }

    /** Cuts what ends before the offset off an extent; false when that is all of it. */
    private boolean narrow(Extent extent, long newStart, ExtentTables tables) {
        long[] table = tables.of(extent);
        int first = extent.find(newStart);
        if (first == extent.rows()) {
            return false;
        }
        long before = extent.liveBytes();
        extent.narrow(Extent.rowBaseOffset(table, first), extent.to());
        long change = extent.liveBytes() - before;
        bytes += change;
        extent.segment.live(change, 0);
        return true;
    }

    void drop() {
        for (int i = 0; i < size; i++) {
            release(extents[i]);
        }
        removeRange(0, size);
        version++;
    }

    /** Puts copies in the place of an extent; they cover the same offsets. */
    void replace(Extent old, List<Extent> copies) {
        int at = indexOf(old);
        release(old);
        removeRange(at, at + 1);
        for (int i = 0; i < copies.size(); i++) {
            insert(at + i, copies.get(i));
        }
        version++;
    }

    boolean holds(Extent extent) {
        return indexOf(extent) >= 0;
    }

    private int indexOf(Extent extent) {
        int i = firstEndingAfter(extent.from());
        return i < size && extents[i] == extent ? i : -1;
    }

    private void release(Extent extent) {
        extent.close();
        bytes -= extent.liveBytes();
        extent.segment.live(-extent.liveBytes(), -1);
    }

    private void removeRange(int fromIndex, int toIndex) {
        System.arraycopy(extents, toIndex, extents, fromIndex, size - toIndex);
        int newSize = size - (toIndex - fromIndex);
        Arrays.fill(extents, newSize, size, null);
        size = newSize;
    }

    /** The first offset whose batch was appended at or after the time, or the end. */
    long offsetAtTime(long timeMs, ExtentTables tables) {
        for (int i = 0; i < size; i++) {
            Extent extent = extents[i];
            if (extent.maxTimeMs() < timeMs) {
                continue;
            }
            long[] table = tables.of(extent);
            for (int row = 0; row < extent.rows(); row++) {
                long base = Extent.rowBaseOffset(table, row);
                if (base >= extent.from() && base < extent.to() && Extent.rowTimeMs(table, row) >= timeMs) {
                    return Math.max(base, startOffset);
                }
            }
        }
        return endOffset;
    }

    /** Bytes of the batches that end after the offset. */
    long bytesFrom(long offset, ExtentTables tables) {
        int first = firstEndingAfter(offset);
        if (first == size) {
            return 0;
        }
        Extent partly = extents[first];
        long[] table = tables.of(partly);
        long from = 0;
        for (int row = partly.find(offset); row < partly.rows(); row++) {
            long base = Extent.rowBaseOffset(table, row);
            from += base >= partly.from() && base < partly.to() ? Extent.batchBytes(table, row) : 0;
        }
        return first < size / 2 ? bytes - bytesOf(0, first + 1) + from : from + bytesOf(first + 1, size);
    }

    private long bytesOf(int fromIndex, int toIndex) {
        long sum = 0;
        for (int i = fromIndex; i < toIndex; i++) {
            sum += extents[i].liveBytes();
        }
        return sum;
    }

    /** Append time of the batch that holds the offset, or of the next one; {@link Long#MAX_VALUE} behind the last. */
    long timeAt(long offset, ExtentTables tables) {
        int i = firstEndingAfter(offset);
        if (i == size) {
            return Long.MAX_VALUE;
        }
        long[] table = tables.of(extents[i]);
        int row = extents[i].find(Math.max(offset, extents[i].from()));
        return row < extents[i].rows() ? Extent.rowTimeMs(table, row) : extents[i].maxTimeMs();
    }

    /** The start offset after dropping whole extents that are too old, or too much. */
    long expiredUpTo(long maxAgeMs, long maxBytes, long nowMs) {
        long left = bytes;
        long start = startOffset;
        for (int i = 0; i < size; i++) {
            Extent extent = extents[i];
            boolean old = maxAgeMs >= 0 && extent.maxTimeMs() < nowMs - maxAgeMs;
            boolean much = maxBytes >= 0 && left - extent.liveBytes() >= maxBytes;
            if (!old && !much) {
                break;
            }
            left -= extent.liveBytes();
            start = extent.to();
        }
        return start;
    }

    @Nullable
    Extent last() {
        return size == 0 ? null : extents[size - 1];
    }
}
