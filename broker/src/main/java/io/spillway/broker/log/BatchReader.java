package io.spillway.broker.log;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.spillway.protocol.RecordBatch;
import java.io.IOException;
import java.util.zip.CRC32C;
import org.agrona.collections.LongHashSet;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Reads stored batches and checks them: the entry's checksum, that it is the batch the index means, and the batch's own
 * checksum. Bytes that fail are counted, logged once and never handed out. Confined to the shard thread.
 */
final class BatchReader implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(BatchReader.class);
    private static final int FIRST_HEAD_BYTES = 4096;

    private final LogIndex index;
    private final CRC32C crc = new CRC32C();
    private final LongHashSet reported = new LongHashSet();
    private final ByteBuf head = Unpooled.directBuffer(FIRST_HEAD_BYTES);
    private long corruptBatches;
    private boolean haltsAtDamage;

    BatchReader(LogIndex index) {
        this.index = index;
    }

    /** Appends the batch in this row to {@code out}; false, and {@code out} as before, when it is corrupt. */
    boolean copy(Extent extent, long[] table, int row, ByteBuf out) {
        int start = out.writerIndex();
        String wrong;
        try {
            wrong = copyChecked(extent, table, row, out);
        } catch (IOException | InternalError e) {
            wrong = String.valueOf(e.getMessage());
        }
        if (wrong.isEmpty()) {
            return true;
        }
        out.writerIndex(start);
        report(extent, table, row, wrong);
        return false;
    }

    private String copyChecked(Extent extent, long[] table, int row, ByteBuf out) throws IOException {
        int batchBytes = Extent.batchBytes(table, row);
        int headBytes = Extent.entryBytes(table, row) - batchBytes;
        long position = Extent.position(table, row);
        if (headBytes < EntryFormat.HEADER_BYTES || batchBytes < RecordBatch.HEADER_BYTES) {
            return "the batch is not in the segment";
        }
        SegmentReader reader = index.reader(extent.segment);
        head.clear().ensureWritable(headBytes);
        reader.read(position, headBytes, head);
        out.ensureWritable(batchBytes);
        int at = out.writerIndex();
        reader.read(position + headBytes, batchBytes, out);
        crc.reset();
        EntryFormat.update(crc, head, EntryFormat.VERSION_AT, headBytes - EntryFormat.VERSION_AT);
        EntryFormat.update(crc, out, at, RecordBatch.CRC_START);
        if ((int) crc.getValue() != head.getInt(EntryFormat.CRC)) {
            return "the CRC32C of the entry does not match";
        }
        if (RecordBatch.baseOffset(out, at) != Extent.rowBaseOffset(table, row)
                || head.getInt(EntryFormat.PARTITION) != extent.partitionId) {
            return "another batch is stored there";
        }
        crc.reset();
        EntryFormat.update(crc, out, at + RecordBatch.CRC_START, batchBytes - RecordBatch.CRC_START);
        return (int) crc.getValue() == RecordBatch.crc(out, at) ? "" : "the CRC32C of the batch does not match";
    }

    private void report(Extent extent, long[] table, int row, String why) {
        long position = Extent.position(table, row);
        if (reported.add((long) extent.segment.number << 32 | position)) {
            corruptBatches++;
            LOG.error(
                    "what=\"corrupt batch\" partition={} offset={} records={} segment={} position={} why=\"{}\""
                            + " next=\"run spillway log verify; restore the data from another copy\"",
                    extent.partitionId,
                    Extent.rowBaseOffset(table, row),
                    Extent.records(table, row),
                    extent.segment.file(),
                    position,
                    why);
        }
    }

    void haltAtDamage() {
        haltsAtDamage = true;
    }

    boolean halted() {
        return haltsAtDamage && corruptBatches > 0;
    }

    /** Different batches found corrupt so far. */
    long corruptBatches() {
        return corruptBatches;
    }

    @Override
    public void close() {
        head.release();
    }
}
