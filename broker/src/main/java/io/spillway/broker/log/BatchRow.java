package io.spillway.broker.log;

import io.netty.buffer.ByteBuf;
import io.spillway.protocol.RecordBatch;

/** What the index keeps of one batch; mutable and reused, so that appending allocates nothing. */
final class BatchRow {
    int partitionId;
    boolean relocated;
    long baseOffset;
    int records;
    long appendTimeMs;
    long position;
    int entryBytes;
    int batchBytes;

    /** Takes the batch's part from its header; position and entryBytes are the caller's. */
    BatchRow of(int partition, boolean isCopy, ByteBuf batch, int at) {
        partitionId = partition;
        relocated = isCopy;
        baseOffset = RecordBatch.baseOffset(batch, at);
        records = RecordBatch.recordCount(batch, at);
        appendTimeMs = RecordBatch.appendTimeMs(batch, at);
        batchBytes = RecordBatch.totalBytes(batch, at);
        return this;
    }
}
