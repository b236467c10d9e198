package io.spillway.conformance.javadriver;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.spillway.client.Message;
import java.nio.ByteBuffer;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HashMap;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.Map;
import java.util.Set;

/** Many messages as a few numbers. Confined to one thread. */
final class Collection {
    private static final int NO_KEY = -1;

    private record Place(int partition, long offset) {}

    private final Set<Place> places = new HashSet<>();
    private final Set<ByteBuffer> values = new HashSet<>();
    private final Map<Integer, Long> lastOffsets = new HashMap<>();
    private final MessageDigest sha256;
    private long received;
    private long redelivered;
    private boolean inOrder = true;
    private long digest;

    Collection() {
        try {
            sha256 = MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every JDK has SHA-256", e);
        }
    }

    long received() {
        return received;
    }

    void add(Message message) {
        received++;
        redelivered += message.attempt() > 1 ? 1 : 0;
        Long last = lastOffsets.put(message.partition(), message.offset());
        inOrder &= last == null || last < message.offset();
        values.add(ByteBuffer.wrap(message.value()));
        if (places.add(new Place(message.partition(), message.offset()))) {
            digest ^= hash(message);
        }
    }

    private long hash(Message message) {
        byte[] key = message.key();
        sha256.update(
                ByteBuffer.allocate(4).putInt(key == null ? NO_KEY : key.length).flip());
        if (key != null) {
            sha256.update(key);
        }
        return ByteBuffer.wrap(sha256.digest(message.value())).getLong();
    }

    ObjectNode answer() {
        return Wire.object()
                .put("received", received)
                .put("distinct", places.size())
                .put("redelivered", redelivered)
                .put("in_order", inOrder)
                .put("values", values.size())
                .put("digest", HexFormat.of().toHexDigits(digest));
    }
}
