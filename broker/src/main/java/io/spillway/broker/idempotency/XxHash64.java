package io.spillway.broker.idempotency;

import io.netty.buffer.ByteBuf;

/** XXH64 with seed 0, written from the xxHash specification 0.1.1 (Collet, github.com/Cyan4973/xxHash). */
final class XxHash64 {
    private static final long PRIME_1 = 0x9E3779B185EBCA87L;
    private static final long PRIME_2 = 0xC2B2AE3D27D4EB4FL;
    private static final long PRIME_3 = 0x165667B19E3779F9L;
    private static final long PRIME_4 = 0x85EBCA77C2B2AE63L;
    private static final long PRIME_5 = 0x27D4EB2F165667C5L;
    /** The first two primes' sum, modulo 2^64. */
    private static final long LANE_1_START = 0x60EA27EEADC0B5D6L;

    private static final int STRIPE_BYTES = 32;

    private XxHash64() {}

    static long hash(ByteBuf buffer, int at, int bytes) {
        int end = at + bytes;
        int tail = at + (bytes & -STRIPE_BYTES);
        long hash = bytes < STRIPE_BYTES ? PRIME_5 : stripes(buffer, at, tail);
        hash += bytes;
        int i = tail;
        for (; i + Long.BYTES <= end; i += Long.BYTES) {
            hash = Long.rotateLeft(hash ^ round(0, buffer.getLongLE(i)), 27) * PRIME_1 + PRIME_4;
        }
        if (i + Integer.BYTES <= end) {
            hash = Long.rotateLeft(hash ^ (buffer.getIntLE(i) & 0xffffffffL) * PRIME_1, 23) * PRIME_2 + PRIME_3;
            i += Integer.BYTES;
        }
        for (; i < end; i++) {
            hash = Long.rotateLeft(hash ^ buffer.getUnsignedByte(i) * PRIME_5, 11) * PRIME_1;
        }
        return avalanche(hash);
    }

    private static long stripes(ByteBuf buffer, int from, int to) {
        long lane1 = LANE_1_START;
        long lane2 = PRIME_2;
        long lane3 = 0;
        long lane4 = -PRIME_1;
        for (int i = from; i < to; i += STRIPE_BYTES) {
            lane1 = round(lane1, buffer.getLongLE(i));
            lane2 = round(lane2, buffer.getLongLE(i + 8));
            lane3 = round(lane3, buffer.getLongLE(i + 16));
            lane4 = round(lane4, buffer.getLongLE(i + 24));
        }
        long hash = Long.rotateLeft(lane1, 1)
                + Long.rotateLeft(lane2, 7)
                + Long.rotateLeft(lane3, 12)
                + Long.rotateLeft(lane4, 18);
        hash = merge(hash, lane1);
        hash = merge(hash, lane2);
        hash = merge(hash, lane3);
        return merge(hash, lane4);
    }

    private static long round(long lane, long input) {
        return Long.rotateLeft(lane + input * PRIME_2, 31) * PRIME_1;
    }

    private static long merge(long hash, long lane) {
        return (hash ^ round(0, lane)) * PRIME_1 + PRIME_4;
    }

    private static long avalanche(long hash) {
        long h = hash;
        h = (h ^ h >>> 33) * PRIME_2;
        h = (h ^ h >>> 29) * PRIME_3;
        return h ^ h >>> 32;
    }
}
