package io.spillway.protocol;

import io.netty.buffer.ByteBufUtil;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What a record is made of, on its way into a batch. The arrays are not copied; they must not change until it is written.
 *
 * @param timestampMs when it happened, by its publisher, ms since 1970
 * @param keyHash {@link KeyHash} of the key; 0 without one
 * @param headers by name, in order; a name may come twice
 * @param dedupId idempotency key
 * @param trace trace context as {@link RecordView#trace} gives it
 * @param deliverAtMs not to be delivered before, ms since 1970; -1 = at once
 * @param expiresAtMs not to be delivered from then on, ms since 1970; -1 = never expires
 * @param tombstone whether its publisher marked it as the end of its key
 */
public record RecordParts(
        long timestampMs,
        byte @Nullable [] key,
        int keyHash,
        List<Map.Entry<String, byte[]>> headers,
        byte[] value,
        byte @Nullable [] dedupId,
        byte @Nullable [] trace,
        long deliverAtMs,
        long expiresAtMs,
        boolean tombstone) {

    /** A record that is no tombstone. */
    public RecordParts(
            long timestampMs,
            byte @Nullable [] key,
            int keyHash,
            List<Map.Entry<String, byte[]>> headers,
            byte[] value,
            byte @Nullable [] dedupId,
            byte @Nullable [] trace,
            long deliverAtMs,
            long expiresAtMs) {
        this(timestampMs, key, keyHash, headers, value, dedupId, trace, deliverAtMs, expiresAtMs, false);
    }

    /** A record of a value alone. */
    public static RecordParts of(long timestampMs, byte[] value) {
        return new RecordParts(timestampMs, null, 0, List.of(), value, null, null, -1, -1);
    }

    /** Bytes it takes in a batch, its index entry included. */
    public int bytes() {
        int bytes = RecordBatch.INDEX_ENTRY_BYTES + RecordView.FIXED_BYTES + value.length;
        bytes += key == null ? 0 : key.length;
        bytes += dedupId == null ? 0 : 1 + dedupId.length;
        bytes += trace == null ? 0 : RecordView.TRACE_BYTES;
        bytes += deliverAtMs < 0 ? 0 : Long.BYTES;
        bytes += expiresAtMs < 0 ? 0 : Long.BYTES;
        for (Map.Entry<String, byte[]> header : headers) {
            bytes += 3 + ByteBufUtil.utf8Bytes(header.getKey()) + header.getValue().length;
        }
        return bytes;
    }

    int flags() {
        return (key == null ? 0 : RecordView.HAS_KEY)
                | (headers.isEmpty() ? 0 : RecordView.HAS_HEADERS)
                | (tombstone ? RecordView.TOMBSTONE : 0)
                | (deliverAtMs < 0 ? 0 : RecordView.HAS_DELIVER_AT)
                | (expiresAtMs < 0 ? 0 : RecordView.HAS_EXPIRES_AT)
                | (dedupId == null ? 0 : RecordView.HAS_DEDUP_ID)
                | (trace == null ? 0 : RecordView.HAS_TRACE);
    }
}
