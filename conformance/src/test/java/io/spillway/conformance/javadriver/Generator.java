package io.spillway.conformance.javadriver;

import io.spillway.client.OutgoingRecord;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/** Makes the numbered records that conformance/DRIVER.md calls generated. */
final class Generator {
    private final int size;
    private final String keyPrefix;
    private final long keys;
    private final String idempotencyPrefix;

    Generator(Request request) {
        size = Math.toIntExact(request.number("size", 16));
        keyPrefix = request.findText("key_prefix").orElse("");
        keys = request.number("keys", Long.MAX_VALUE);
        idempotencyPrefix = request.findText("idempotency_prefix").orElse("");
    }

    OutgoingRecord record(long number) {
        byte[] value = new byte[size];
        Arrays.fill(value, (byte) '.');
        byte[] digits = Long.toString(number).getBytes(StandardCharsets.US_ASCII);
        System.arraycopy(digits, 0, value, 0, Math.min(size, digits.length));
        OutgoingRecord.Builder record = OutgoingRecord.builder(value);
        if (!keyPrefix.isEmpty()) {
            record.key(keyPrefix + number % keys);
        }
        if (!idempotencyPrefix.isEmpty()) {
            record.idempotencyKey(idempotencyPrefix + number);
        }
        return record.build();
    }
}
