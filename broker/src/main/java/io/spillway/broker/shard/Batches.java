package io.spillway.broker.shard;

import io.netty.buffer.ByteBuf;
import io.spillway.protocol.RecordBatch;
import io.spillway.protocol.RecordView;

/** Looks into batches without parsing their records. */
public final class Batches {
    private static final int FLAGS_AT = 4;

    private Batches() {}

    /** Whether a record of a validated, uncompressed batch carries an idempotency key. */
    public static boolean isKeyed(ByteBuf batch, int at) {
        int count = RecordBatch.recordCount(batch, at);
        int recordAt = RecordBatch.bodyStart(batch, at);
        for (int i = 0; i < count; i++) {
            if ((batch.getByte(recordAt + FLAGS_AT) & RecordView.HAS_DEDUP_ID) != 0) {
                return true;
            }
            recordAt += RecordBatch.recordBytes(batch, at, i);
        }
        return false;
    }
}
