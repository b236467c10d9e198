package io.spillway.bench;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.buffer.PooledByteBufAllocator;
import io.spillway.protocol.Limits;
import io.spillway.protocol.RecordBatchWriter;
import io.spillway.protocol.RecordParts;
import java.util.SplittableRandom;

/** Batches as a producer sends them: keyless records of one size whose bytes do not compress. */
public final class SampleBatch {
    private static final long SEED = 1;

    private SampleBatch() {}

    /** Random bytes, the same for the same length. */
    public static byte[] value(int bytes) {
        byte[] value = new byte[bytes];
        new SplittableRandom(SEED).nextBytes(value);
        return value;
    }

    /** Adds the records to the writer, which is empty before. */
    public static void fill(RecordBatchWriter writer, int records, byte[] value) {
        for (int i = 0; i < records; i++) {
            writer.add(RecordParts.of(i, value));
        }
    }

    /** A finished batch in one direct buffer; the caller releases it. */
    public static ByteBuf of(int records, int recordBytes) {
        ByteBufAllocator allocator = PooledByteBufAllocator.DEFAULT;
        RecordBatchWriter writer = new RecordBatchWriter(allocator, Limits.MAX_BATCH_BYTES);
        fill(writer, records, value(recordBytes));
        RecordBatchWriter.Batch batch = writer.finish(1, 0, 0);
        ByteBuf joined =
                allocator.directBuffer(batch.bytes()).writeBytes(batch.head()).writeBytes(batch.body());
        batch.release();
        return joined;
    }
}
