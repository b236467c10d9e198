package io.spillway.broker.tracing;

import java.util.HexFormat;

/**
 * Ids of spans that others refer to. They follow from what the span is about, so that the broker that settles a record knows
 * the span of its delivery without having kept it, also when another broker delivered it.
 */
final class SpanIds {
    private static final long FNV_OFFSET = 0xcbf29ce484222325L;
    private static final long FNV_PRIME = 0x100000001b3L;

    private SpanIds() {}

    static String ofAppend(TracedRecord record, String topic, int partition, long offset) {
        return hex(at(record, "append", topic, partition, offset));
    }

    static String ofDelivery(TracedRecord record, String topic, int partition, long offset, String group, int attempt) {
        return hex(add(add(at(record, "deliver", topic, partition, offset), group), attempt));
    }

    private static long at(TracedRecord record, String operation, String topic, int partition, long offset) {
        long hash = add(add(FNV_OFFSET, record.randomPart()), record.spanId());
        return add(add(add(add(hash, operation), topic), partition), offset);
    }

    private static long add(long hash, String text) {
        long now = hash;
        for (int i = 0; i < text.length(); i++) {
            now = (now ^ text.charAt(i)) * FNV_PRIME;
        }
        return now * FNV_PRIME;
    }

    private static long add(long hash, long number) {
        long now = hash;
        for (int shift = 0; shift < Long.SIZE; shift += 8) {
            now = (now ^ (number >>> shift & 0xff)) * FNV_PRIME;
        }
        return now;
    }

    /** The last step of MurmurHash3 spreads the bits; an id of zeros means none. */
    private static String hex(long hash) {
        long id = (hash ^ hash >>> 33) * 0xff51afd7ed558ccdL;
        id = (id ^ id >>> 33) * 0xc4ceb9fe1a85ec53L;
        id ^= id >>> 33;
        return HexFormat.of().toHexDigits(id == 0 ? 1 : id);
    }
}
