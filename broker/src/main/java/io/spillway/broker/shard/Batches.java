package io.spillway.broker.shard;

import io.netty.buffer.ByteBuf;
import io.spillway.broker.tracing.TracedRecord;
import io.spillway.protocol.RecordBatch;
import io.spillway.protocol.RecordView;

/** Looks into batches without parsing their records. */
public final class Batches {
    private static final int FLAGS_AT = 4;
    private static final int TIMES = RecordView.HAS_DELIVER_AT | RecordView.HAS_EXPIRES_AT;

    private Batches() {}

    /**
     * Marks a validated, uncompressed batch that came from outside with what its records ask of the broker, so that
     * nobody who reads it later has to look. Returns whether a record of it carries an idempotency key.
     */
    public static boolean admit(ByteBuf batch, int at) {
        int flags = recordFlags(batch, at);
        int found = (flags & TIMES) == 0 ? 0 : RecordBatch.TIMED;
        if ((flags & RecordView.HAS_TRACE) != 0 && isSampled(batch, at)) {
            found |= RecordBatch.TRACED;
        }
        RecordBatch.brokerFlags(batch, at, found);
        return (flags & RecordView.HAS_DEDUP_ID) != 0;
    }

    /** Whether a record of a validated, uncompressed batch carries an idempotency key. */
    public static boolean isKeyed(ByteBuf batch, int at) {
        return (recordFlags(batch, at) & RecordView.HAS_DEDUP_ID) != 0;
    }

    /** Whether a record of a stored batch has a time to be delivered at or to expire. */
    static boolean isTimed(ByteBuf batch, int at) {
        return (RecordBatch.brokerFlags(batch, at) & RecordBatch.TIMED) != 0;
    }

    /** Whether a record of a stored batch has a trace that its publisher samples. */
    static boolean isTraced(ByteBuf batch, int at) {
        return (RecordBatch.brokerFlags(batch, at) & RecordBatch.TRACED) != 0;
    }

    private static boolean isSampled(ByteBuf batch, int at) {
        int count = RecordBatch.recordCount(batch, at);
        int recordAt = RecordBatch.bodyStart(batch, at);
        for (int i = 0; i < count; i++) {
            int bytes = RecordBatch.recordBytes(batch, at, i);
            if (TracedRecord.isSampled(batch, recordAt, bytes)) {
                return true;
            }
            recordAt += bytes;
        }
        return false;
    }

    /** All flags that any record has. */
    private static int recordFlags(ByteBuf batch, int at) {
        int count = RecordBatch.recordCount(batch, at);
        int recordAt = RecordBatch.bodyStart(batch, at);
        int flags = 0;
        for (int i = 0; i < count; i++) {
            flags |= batch.getByte(recordAt + FLAGS_AT);
            recordAt += RecordBatch.recordBytes(batch, at, i);
        }
        return flags;
    }
}
