package io.spillway.broker.filter;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.spillway.protocol.Limits;
import io.spillway.protocol.RecordBatch;
import io.spillway.protocol.RecordBatchWriter;
import io.spillway.protocol.RecordParts;
import io.spillway.protocol.RecordView;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** A record as a test describes it. */
record FilterRecord(
        List<Map.Entry<String, String>> headers, @Nullable String key, int partition, long offset, long timeMs) {

    boolean matches(Filter filter) {
        ByteBuf batch = batch();
        try {
            RecordView view = new RecordView().wrap(batch, 0);
            view.next();
            view.next();
            return filter.matches(view, partition, offset, timeMs);
        } finally {
            batch.release();
        }
    }

    /** A batch whose second record this is; the first has the same names with other values. */
    private ByteBuf batch() {
        RecordBatchWriter writer = new RecordBatchWriter(ByteBufAllocator.DEFAULT, Limits.MAX_BATCH_BYTES);
        writer.add(parts(
                "other",
                headers.stream()
                        .map(header -> Map.entry(header.getKey(), bytes("other")))
                        .toList()));
        writer.add(parts(
                key,
                headers.stream()
                        .map(header -> Map.entry(header.getKey(), bytes(header.getValue())))
                        .toList()));
        RecordBatchWriter.Batch parts = writer.finish(0, 0, 0);
        ByteBuf batch = ByteBufAllocator.DEFAULT.buffer();
        batch.writeBytes(parts.head()).writeBytes(parts.body());
        parts.release();
        writer.release();
        RecordBatch.stamp(batch, 0, offset, 0, timeMs);
        return batch;
    }

    private static RecordParts parts(@Nullable String key, List<Map.Entry<String, byte[]>> headers) {
        return new RecordParts(
                0, key == null ? null : bytes(key), 0, headers, bytes("value"), bytes("dedup"), null, 7, -1);
    }

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }
}
