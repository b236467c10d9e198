package io.spillway.broker.session;

import io.spillway.protocol.Scram;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.random.RandomGenerator;

/**
 * Ids of producers that belong to a principal: bit 62, 20 bits made of its name, and 42 at random. So that whose one is
 * needs no record and holds on every node; an id without bit 62 is anybody's.
 */
final class ProducerIds {
    private static final long OWNED = 1L << 62;
    private static final int RANDOM_BITS = 42;
    private static final long RANDOM_MASK = (1L << RANDOM_BITS) - 1;
    private static final long OWNER_MASK = OWNED - 1 & ~RANDOM_MASK;

    private ProducerIds() {}

    /** Nobody's in particular. */
    static long ofAnybody(RandomGenerator random) {
        return random.nextLong(1, OWNED);
    }

    static long of(String principal, long random) {
        return OWNED | owner(principal) | random & RANDOM_MASK;
    }

    private static long owner(String principal) {
        byte[] digest = Scram.sha256(principal.getBytes(StandardCharsets.UTF_8));
        return ByteBuffer.wrap(digest).getLong() & OWNER_MASK;
    }

    /** @param principal empty: nobody known */
    static boolean mayUse(String principal, long producerId) {
        boolean isOwned = (producerId & OWNED) != 0;
        return !isOwned || (!principal.isEmpty() && (producerId & OWNER_MASK) == owner(principal));
    }
}
