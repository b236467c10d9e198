package io.spillway.broker.shard;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.PooledByteBufAllocator;
import io.spillway.protocol.Crc;
import io.spillway.protocol.RecordBatch;
import java.util.BitSet;

/** Makes a batch of some of another's records, their bytes unchanged, without a producer. */
final class BatchRewriter {
    private BatchRewriter() {}

    static ByteBuf keep(ByteBuf batch, BitSet kept) {
        int at = batch.readerIndex();
        int count = RecordBatch.recordCount(batch, at);
        ByteBuf out = PooledByteBufAllocator.DEFAULT.directBuffer(batch.readableBytes());
        out.writeBytes(batch, at, RecordBatch.HEADER_BYTES);
        for (int i = kept.nextSetBit(0); i >= 0; i = kept.nextSetBit(i + 1)) {
            out.writeInt(RecordBatch.recordBytes(batch, at, i)).writeInt(RecordBatch.keyHash(batch, at, i));
        }
        int bodyAt = out.writerIndex();
        int recordAt = RecordBatch.bodyStart(batch, at);
        for (int i = 0; i < count; i++) {
            int bytes = RecordBatch.recordBytes(batch, at, i);
            if (kept.get(i)) {
                out.writeBytes(batch, recordAt, bytes);
            }
            recordAt += bytes;
        }
        out.setInt(8, out.writerIndex() - 12);
        out.setShort(34, 0);
        out.setInt(36, kept.cardinality());
        out.setLong(40, 0);
        out.setLong(48, 0);
        out.setInt(68, out.writerIndex() - bodyAt);
        int crc = Crc.crc32c(out, RecordBatch.CRC_START, out.writerIndex() - RecordBatch.CRC_START);
        out.setInt(28, crc);
        return out;
    }
}
