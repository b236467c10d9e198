package io.spillway.broker.log;

import io.netty.buffer.ByteBuf;
import org.jspecify.annotations.Nullable;

/**
 * Reads the batches of one partition in order. It follows the log: after {@link #next} returned false it goes on once
 * more was appended, and what is trimmed or moved while it reads does not disturb it. Confined to the shard thread.
 */
public final class BatchCursor {
    private static final long[] NO_TABLE = {};

    private final LogIndex index;
    private final BatchReader reader;
    private final int partitionId;

    private @Nullable Extent extent;
    private long[] table = NO_TABLE;
    private int row;
    private int version;
    private boolean valid;
    private long baseOffset;
    private long endOffset;

    BatchCursor(LogIndex index, BatchReader reader, int partitionId) {
        this.index = index;
        this.reader = reader;
        this.partitionId = partitionId;
    }

    public int partitionId() {
        return partitionId;
    }

    /** Moves to the batch that contains the offset or, if there is none, the next one; false at the log's end. */
    public boolean seek(long offset) {
        endOffset = offset;
        valid = false;
        PartitionLog partition = index.partition(partitionId);
        if (partition == null) {
            return false;
        }
        version = partition.version();
        for (int i = partition.firstEndingAfter(offset); i < partition.size(); i++) {
            Extent found = partition.extent(i);
            long[] rows = index.tables().of(found);
            int at = found.find(Math.max(offset, found.from()));
            if (at < found.rows() && Extent.rowBaseOffset(rows, at) < found.to()) {
                extent = found;
                table = rows;
                row = at;
                position();
                return true;
            }
        }
        return false;
    }

    private void position() {
        baseOffset = Extent.rowBaseOffset(table, row);
        endOffset = baseOffset + Extent.records(table, row);
        valid = true;
    }

    /** Whether the cursor stands on a batch. */
    public boolean valid() {
        return valid;
    }

    /** Whether the log is read no more, because a batch is damaged and another node has it; see {@link ShardLog}. */
    public boolean halted() {
        return reader.halted();
    }

    /** Moves on by one batch; false at the end of the log, where it can be called again later. */
    public boolean next() {
        Extent current = extent;
        PartitionLog partition = index.partition(partitionId);
        if (!valid || current == null || partition == null || partition.version() != version) {
            return seek(endOffset);
        }
        int following = row + 1;
        if (following >= current.rows() || endOffset >= current.to()) {
            return seek(endOffset);
        }
        if (following * Extent.ROW_LONGS >= table.length) {
            table = index.tables().of(current);
        }
        row = following;
        position();
        return true;
    }

    public long baseOffset() {
        return baseOffset;
    }

    /** The offset after the batch's last record; when not valid, where {@link #next} goes on. */
    public long endOffset() {
        return endOffset;
    }

    public int recordCount() {
        return Extent.records(table, row);
    }

    /** Bytes of the batch. */
    public int bytes() {
        return Extent.batchBytes(table, row);
    }

    public long appendTimeMs() {
        return Extent.rowTimeMs(table, row);
    }

    /**
     * Appends the whole stored batch to {@code out} after checking it. False, with {@code out} as before, when it is
     * corrupt (counted, logged once, never served) or was trimmed meanwhile (then the cursor is no longer valid or
     * stands on a later batch).
     */
    public boolean copyTo(ByteBuf out) {
        PartitionLog partition = index.partition(partitionId);
        if (!valid || partition == null) {
            valid = false;
            return false;
        }
        if (partition.version() != version) {
            long wanted = baseOffset;
            if (!seek(wanted) || baseOffset != wanted) {
                return false;
            }
        }
        Extent current = extent;
        return current != null && reader.copy(current, table, row, out);
    }
}
