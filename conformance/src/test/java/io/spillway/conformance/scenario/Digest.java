package io.spillway.conformance.scenario;

import com.fasterxml.jackson.databind.JsonNode;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;
import java.util.HexFormat;

/** The digest of generated records, computed here and not by a client: what a reader must have received of them. */
final class Digest {
    private static final int NO_KEY = -1;

    private Digest() {}

    /** @param generated the arguments of producer.generate: count, first, size, key_prefix, keys */
    static String of(JsonNode generated) {
        long first = generated.path("first").asLong(0);
        long count = generated.path("count").asLong();
        int size = generated.path("size").asInt(16);
        String prefix = generated.path("key_prefix").asText("");
        long keys = generated.path("keys").asLong(Long.MAX_VALUE);
        long digest = 0;
        for (long number = first; number < first + count; number++) {
            byte[] value = new byte[size];
            Arrays.fill(value, (byte) '.');
            byte[] digits = Long.toString(number).getBytes(StandardCharsets.US_ASCII);
            System.arraycopy(digits, 0, value, 0, Math.min(size, digits.length));
            digest ^= hash(prefix.isEmpty() ? "" : prefix + number % keys, value);
        }
        return HexFormat.of().toHexDigits(digest);
    }

    private static long hash(String key, byte[] value) {
        byte[] keyBytes = key.getBytes(StandardCharsets.UTF_8);
        ByteBuffer hashed = ByteBuffer.allocate(4 + keyBytes.length + value.length)
                .putInt(keyBytes.length == 0 ? NO_KEY : keyBytes.length)
                .put(keyBytes)
                .put(value);
        try {
            return ByteBuffer.wrap(MessageDigest.getInstance("SHA-256").digest(hashed.array()))
                    .getLong();
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every JDK has SHA-256", e);
        }
    }
}
