package io.spillway.broker.shard;

import io.netty.buffer.ByteBuf;
import io.spillway.protocol.RecordView;
import java.nio.ByteBuffer;
import java.util.zip.CRC32C;

/**
 * What tells two records under one idempotency key apart: CRC32C over their keys and values, and the lengths of both; not
 * kept on disk. Made for one batch after the other, of which it keeps one view, because a view for each record costs more
 * than the sum. Confined to the shard thread.
 */
final class Fingerprint {
    private static final int SPREAD = 0x9e3779b9;
    private static final ByteBuffer NOTHING = ByteBuffer.allocate(0);

    private final CRC32C crc = new CRC32C();
    private ByteBuffer bytes = NOTHING;
    private int base;

    /** Goes on with the records of this batch. */
    void wrap(ByteBuf batch) {
        bytes = batch.nioBuffer();
        // The view of a batch within a read-only entry begins where the batch does, not at 0.
        base = batch.readerIndex() - bytes.position();
    }

    /** Lets go of the batch. */
    void unwrap() {
        bytes = NOTHING;
    }

    /** Of a record of the wrapped batch. */
    int of(RecordView record) {
        crc.reset();
        update(record.keyAt(), record.keyBytes());
        update(record.valueAt(), record.valueBytes());
        int lengths = record.keyBytes() * 31 + record.valueBytes();
        return (int) crc.getValue() ^ lengths * SPREAD;
    }

    private void update(int at, int length) {
        if (length > 0) {
            bytes.limit(at - base + length).position(at - base);
            crc.update(bytes);
        }
    }
}
