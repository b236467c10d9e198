package io.spillway.protocol;

import io.netty.buffer.ByteBuf;
import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;

/**
 * Reads the records of one uncompressed batch one after the other, without copying: a cursor that is wrapped around a
 * batch and moved with {@link #next}.
 *
 * <pre>
 * u32 ts_delta | u8 flags | u8 header_count | u16 key_len
 * [26 B trace][u64 deliver_at][u64 expires_at][u8 len + dedup_id] key headers value
 * header: u8 name_len name u16 value_len value
 * flags: 1 key 2 headers 4 tombstone 8 deliver_at 16 dedup_id 32 trace 64 expires_at; the other is 0
 * </pre>
 *
 * Not thread-safe. {@link #next} throws {@link ProtocolException} MALFORMED_FRAME when a record's parts do not fit its length
 * or its flags; of that record index, timestamp, place and length can still be asked, and next goes on behind it.
 */
public final class RecordView {
    public static final int FIXED_BYTES = 8;
    public static final int TRACE_BYTES = 26;

    public static final int HAS_KEY = 1;
    public static final int HAS_HEADERS = 2;
    public static final int TOMBSTONE = 4;
    public static final int HAS_DELIVER_AT = 8;
    public static final int HAS_DEDUP_ID = 16;
    public static final int HAS_TRACE = 32;
    public static final int HAS_EXPIRES_AT = 64;

    /** Sees the headers of a record in order. */
    @FunctionalInterface
    public interface HeaderVisitor {
        void onHeader(String name, ByteBuf buffer, int valueAt, int valueBytes);
    }

    private static final int KNOWN_FLAGS =
            HAS_KEY | HAS_HEADERS | TOMBSTONE | HAS_DELIVER_AT | HAS_DEDUP_ID | HAS_TRACE | HAS_EXPIRES_AT;

    private ByteBuf buffer;
    private int batchAt;
    private int count;
    private int record;
    private int at;
    private int end;
    private int flags;
    private int traceAt;
    private int deliverAtAt;
    private int expiresAtAt;
    private int dedupAt;
    private int dedupBytes;
    private int keyAt;
    private int keyBytes;
    private int headersAt;
    private int valueAt;

    public RecordView() {
        buffer = io.netty.buffer.Unpooled.EMPTY_BUFFER;
    }

    /** Starts before the first record of the batch at {@code batchAt}. */
    public RecordView wrap(ByteBuf buffer, int batchAt) {
        this.buffer = buffer;
        this.batchAt = batchAt;
        count = RecordBatch.recordCount(buffer, batchAt);
        record = -1;
        end = RecordBatch.bodyStart(buffer, batchAt);
        return this;
    }

    /** Moves to the next record; false at the end. */
    public boolean next() {
        if (++record >= count) {
            return false;
        }
        at = end;
        end = at + RecordBatch.recordBytes(buffer, batchAt, record);
        parse();
        return true;
    }

    private void parse() {
        flags = buffer.getUnsignedByte(at + 4);
        keyBytes = buffer.getUnsignedShort(at + 6);
        if ((flags & ~KNOWN_FLAGS) != 0
                || (keyBytes > 0 && !has(HAS_KEY))
                || (headerCount() > 0 && !has(HAS_HEADERS))) {
            throw malformed("has parts that its flags do not announce");
        }
        traceAt = at + FIXED_BYTES;
        deliverAtAt = traceAt + (has(HAS_TRACE) ? TRACE_BYTES : 0);
        expiresAtAt = deliverAtAt + (has(HAS_DELIVER_AT) ? Long.BYTES : 0);
        int position = expiresAtAt + (has(HAS_EXPIRES_AT) ? Long.BYTES : 0);
        require(position);
        if ((has(HAS_DELIVER_AT) && deliverAtMs() < 0) || (has(HAS_EXPIRES_AT) && expiresAtMs() < 0)) {
            throw malformed("has a time beyond 2^63");
        }
        dedupAt = position + 1;
        dedupBytes = 0;
        if (has(HAS_DEDUP_ID)) {
            require(position + 1);
            dedupBytes = buffer.getUnsignedByte(position);
            if (dedupBytes == 0) {
                throw malformed("has an idempotency key of no bytes");
            }
            position += 1 + dedupBytes;
        }
        keyAt = position;
        position += keyBytes;
        headersAt = position;
        for (int i = headerCount(); i > 0; i--) {
            require(position + 1);
            position += 1 + buffer.getUnsignedByte(position);
            require(position + Short.BYTES);
            position += Short.BYTES + buffer.getUnsignedShort(position);
        }
        require(position);
        valueAt = position;
    }

    private void require(int position) {
        if (position > end) {
            throw malformed("is shorter than its parts");
        }
    }

    private ProtocolException malformed(String what) {
        return new ProtocolException(Code.MALFORMED_FRAME, "record " + record + " of a batch " + what);
    }

    private boolean has(int flag) {
        return (flags & flag) != 0;
    }

    /** Position of the record in its batch, from 0. */
    public int index() {
        return record;
    }

    public int flags() {
        return flags;
    }

    public long timestampMs() {
        return RecordBatch.firstTimestampMs(buffer, batchAt) + (buffer.getInt(at) & 0xffffffffL);
    }

    public boolean hasKey() {
        return has(HAS_KEY);
    }

    public boolean isTombstone() {
        return has(TOMBSTONE);
    }

    public boolean hasDedupId() {
        return has(HAS_DEDUP_ID);
    }

    /** When to deliver, ms since 1970, or -1. */
    public long deliverAtMs() {
        return has(HAS_DELIVER_AT) ? buffer.getLong(deliverAtAt) : -1;
    }

    /** When it is not to be delivered any more, ms since 1970, or -1. */
    public long expiresAtMs() {
        return has(HAS_EXPIRES_AT) ? buffer.getLong(expiresAtAt) : -1;
    }

    public byte @Nullable [] key() {
        return hasKey() ? bytes(keyAt, keyBytes) : null;
    }

    public byte @Nullable [] dedupId() {
        return hasDedupId() ? bytes(dedupAt, dedupBytes) : null;
    }

    /** Trace context: version 1, trace-id 16, span-id 8, flags 1; or null. */
    public byte @Nullable [] trace() {
        return has(HAS_TRACE) ? bytes(traceAt, TRACE_BYTES) : null;
    }

    public byte[] value() {
        return bytes(valueAt, end - valueAt);
    }

    public ByteBuf buffer() {
        return buffer;
    }

    public int recordAt() {
        return at;
    }

    public int recordBytes() {
        return end - at;
    }

    public int keyAt() {
        return keyAt;
    }

    public int keyBytes() {
        return keyBytes;
    }

    public int valueAt() {
        return valueAt;
    }

    public int valueBytes() {
        return end - valueAt;
    }

    public int dedupAt() {
        return dedupAt;
    }

    public int dedupBytes() {
        return dedupBytes;
    }

    public int headerCount() {
        return buffer.getUnsignedByte(at + 5);
    }

    /** Index of the first header's first byte, for whoever reads them without making objects. */
    public int headersAt() {
        return headersAt;
    }

    public void headers(HeaderVisitor visitor) {
        int position = headersAt;
        for (int i = headerCount(); i > 0; i--) {
            int nameBytes = buffer.getUnsignedByte(position);
            String name = buffer.toString(position + 1, nameBytes, StandardCharsets.UTF_8);
            position += 1 + nameBytes;
            int valueBytes = buffer.getUnsignedShort(position);
            visitor.onHeader(name, buffer, position + Short.BYTES, valueBytes);
            position += Short.BYTES + valueBytes;
        }
    }

    private byte[] bytes(int from, int length) {
        byte[] bytes = new byte[length];
        buffer.getBytes(from, bytes);
        return bytes;
    }
}
