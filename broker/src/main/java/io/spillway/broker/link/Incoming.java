package io.spillway.broker.link;

import io.netty.buffer.ByteBuf;
import io.spillway.protocol.Code;
import io.spillway.protocol.Limits;
import io.spillway.protocol.ProtocolException;
import io.spillway.protocol.RecordBatch;
import io.spillway.protocol.v1.LinkPartition;

/** Checks what came over a network before it is taken for what was stored. */
final class Incoming {
    /** Dead letters are larger than what clients publish. */
    private static final int MOST_BYTES = 4 * Limits.MAX_BATCH_BYTES;

    private Incoming() {}

    /**
     * Checks structure, CRC and offsets of the batches of a partition, which is here up to {@code end}. Returns how many of
     * their records are not here. Throws ProtocolException.
     */
    static int check(ByteBuf batches, long end, LinkPartition from) {
        int records = 0;
        long expected = 0;
        int at = batches.readerIndex();
        while (at < batches.writerIndex()) {
            int bytes = RecordBatch.validate(batches, at, batches.writerIndex() - at, MOST_BYTES);
            long base = RecordBatch.baseOffset(batches, at);
            long to = base + RecordBatch.recordCount(batches, at);
            if (base < expected || to > from.getNextOffset() || RecordBatch.codec(batches, at) != 0) {
                throw new ProtocolException(
                        Code.MALFORMED_FRAME,
                        "a batch has the offsets [" + base + ", " + to + ") where they are to be from " + expected
                                + " to " + from.getNextOffset());
            }
            records += (int) Math.max(0, to - Math.max(base, Math.max(end, from.getStartOffset())));
            expected = to;
            at += bytes;
        }
        return records;
    }
}
