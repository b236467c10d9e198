package io.spillway.protocol;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.buffer.ByteBufUtil;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.zip.CRC32C;
import org.jspecify.annotations.Nullable;

/**
 * Builds one record batch: records are written straight into their final bytes, the index beside them, and
 * {@link #finish} joins the two. Reusable after finish or {@link #release}. Not thread-safe.
 */
public final class RecordBatchWriter {
    private static final long MAX_TS_DELTA_MS = 0xffffffffL;

    private final ByteBufAllocator allocator;
    private final int maxBatchBytes;
    private @Nullable ByteBuf head;
    private @Nullable ByteBuf body;
    private int count;
    private long firstTimestampMs;
    private long maxTsDeltaMs;
    private boolean hasDedupId;

    public RecordBatchWriter(ByteBufAllocator allocator, int maxBatchBytes) {
        this.allocator = allocator;
        this.maxBatchBytes = maxBatchBytes;
    }

    public int count() {
        return count;
    }

    /** Whether a record of this batch carries an idempotency key. */
    public boolean hasDedupId() {
        return hasDedupId;
    }

    /** Bytes the batch has so far. */
    public int bytes() {
        return count == 0
                ? RecordBatch.HEADER_BYTES
                : buffer(head).writerIndex() + buffer(body).writerIndex();
    }

    /** Whether a record of this size (as {@link RecordParts#bytes} gives it) still fits. The first always does. */
    public boolean fits(int recordBytes) {
        return count == 0 || (count < Limits.MAX_BATCH_RECORDS && bytes() + recordBytes <= maxBatchBytes);
    }

    /** Whether a record of this time keeps it in this batch: it is not before the first's, and not weeks after it. */
    public boolean keepsTime(long timestampMs) {
        long delta = timestampMs - firstTimestampMs;
        return count == 0 || (delta >= 0 && delta <= MAX_TS_DELTA_MS);
    }

    /**
     * Adds a record. The limits on key, headers and idempotency key are the caller's to check ({@link Limits});
     * timestamps before the first record's are written as the first's.
     */
    public void add(RecordParts record) {
        byte[] key = record.key();
        byte[] dedupId = record.dedupId();
        List<Map.Entry<String, byte[]>> headers = record.headers();
        if (count == 0) {
            start(record.timestampMs(), record.value().length);
        }
        ByteBuf out = buffer(body);
        int start = out.writerIndex();
        long delta = Math.min(Math.max(0, record.timestampMs() - firstTimestampMs), MAX_TS_DELTA_MS);
        maxTsDeltaMs = Math.max(maxTsDeltaMs, delta);
        int keyBytes = key == null ? 0 : key.length;
        out.ensureWritable(RecordView.FIXED_BYTES + record.value().length + keyBytes);
        out.writeLong(delta << 32 | (long) record.flags() << 24 | (long) headers.size() << 16 | keyBytes);
        if (record.trace() != null) {
            out.writeBytes(record.trace());
        }
        if (record.deliverAtMs() >= 0) {
            out.writeLong(record.deliverAtMs());
        }
        if (record.expiresAtMs() >= 0) {
            out.writeLong(record.expiresAtMs());
        }
        if (dedupId != null) {
            out.writeByte(dedupId.length).writeBytes(dedupId);
            hasDedupId = true;
        }
        if (key != null) {
            out.writeBytes(key);
        }
        for (int i = 0; i < headers.size(); i++) {
            Map.Entry<String, byte[]> header = headers.get(i);
            out.writeByte(ByteBufUtil.utf8Bytes(header.getKey()));
            out.writeCharSequence(header.getKey(), StandardCharsets.UTF_8);
            out.writeShort(header.getValue().length).writeBytes(header.getValue());
        }
        out.writeBytes(record.value());
        buffer(head).writeLong((long) (out.writerIndex() - start) << 32 | (record.keyHash() & 0xffffffffL));
        count++;
    }

    private void start(long timestampMs, int valueBytes) {
        firstTimestampMs = timestampMs;
        maxTsDeltaMs = 0;
        hasDedupId = false;
        head = allocator.directBuffer(4096).writeZero(RecordBatch.HEADER_BYTES);
        body = allocator.directBuffer(Math.max(32 << 10, valueBytes + 1024));
    }

    /** A finished batch in its two parts, to be written one after the other; the caller releases both. */
    public record Batch(ByteBuf head, ByteBuf body, int count, int crc) {
        public int bytes() {
            return head.readableBytes() + body.readableBytes();
        }

        /**
         * The same records in another place of a producer's sequence. Takes over this batch; its head is copied, because
         * a write of it may be under way.
         */
        public Batch resequenced(long producerId, int producerEpoch, long baseSequence) {
            ByteBuf newHead = head.copy();
            head.release();
            return sealed(newHead, body, count, producerId, producerEpoch, baseSequence);
        }

        public void release() {
            head.release();
            body.release();
        }
    }

    /** Closes the batch and hands it over; the writer is empty again. Needs at least one record. */
    public Batch finish(long producerId, int producerEpoch, long baseSequence) {
        ByteBuf first = buffer(head);
        ByteBuf rest = buffer(body);
        first.setInt(8, first.writerIndex() + rest.writerIndex() - 12);
        first.setByte(24, RecordBatch.MAGIC);
        first.setInt(36, count);
        first.setLong(56, firstTimestampMs);
        first.setInt(64, (int) maxTsDeltaMs);
        first.setInt(68, rest.writerIndex());
        Batch batch = sealed(first, rest, count, producerId, producerEpoch, baseSequence);
        head = null;
        body = null;
        count = 0;
        return batch;
    }

    private static Batch sealed(
            ByteBuf head, ByteBuf body, int count, long producerId, int producerEpoch, long baseSequence) {
        head.setShort(34, producerEpoch);
        head.setLong(40, producerId);
        head.setLong(48, baseSequence);
        CRC32C crc = new CRC32C();
        Crc.update(crc, head, RecordBatch.CRC_START, head.writerIndex() - RecordBatch.CRC_START);
        Crc.update(crc, body, 0, body.writerIndex());
        head.setInt(28, (int) crc.getValue());
        return new Batch(head, body, count, (int) crc.getValue());
    }

    /** Drops what was written. */
    public void release() {
        if (head != null) {
            head.release();
            head = null;
        }
        if (body != null) {
            body.release();
            body = null;
        }
        count = 0;
    }

    private static ByteBuf buffer(@Nullable ByteBuf buffer) {
        if (buffer == null) {
            throw new IllegalStateException("the batch has no record");
        }
        return buffer;
    }
}
