package io.spillway.broker.shard;

import io.spillway.protocol.RecordParts;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A record under an idempotency key.
 *
 * @param id the idempotency key, null = none
 * @param triedSinceMs what its header says of the first attempt, -1 = nothing
 */
record KeyedRecord(@Nullable String id, String value, long triedSinceMs) {
    static KeyedRecord of(String id, String value) {
        return new KeyedRecord(id, value, -1);
    }

    KeyedRecord triedSince(long ms) {
        return new KeyedRecord(id, value, ms);
    }

    RecordParts parts(long nowMs) {
        List<Map.Entry<String, byte[]>> headers = triedSinceMs < 0
                ? List.of(Map.entry("other", bytes("1")))
                : List.of(
                        Map.entry("other", bytes("1")),
                        Map.entry("spillway-first-attempt", bytes(Long.toString(triedSinceMs))));
        return new RecordParts(nowMs, null, 0, headers, bytes(value), id == null ? null : bytes(id), null, -1, -1);
    }

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }
}
