package io.spillway.bench.peers;

import java.nio.charset.StandardCharsets;

/** Makes the records of one producer; each is the one before it with another key, id and topic. The same records as those of the load for Go. */
final class Source {
    private static final int KEYS = 10_000;

    private final Plan plan;
    private final Peer.Item item = new Peer.Item();
    private final byte[][] keys;
    private final long base;
    private long next;

    Source(Plan plan, int index) {
        this.plan = plan;
        base = (index + 1L) << 40;
        item.value = sampleValue(plan.size());
        keys = new byte[plan.keyed() ? KEYS : 0][];
        for (int i = 0; i < keys.length; i++) {
            keys[i] = String.format("key-%05d", i).getBytes(StandardCharsets.US_ASCII);
        }
    }

    Peer.Item next() {
        next++;
        item.topic = (int) (next % plan.topics());
        if (plan.keyed()) {
            item.key = keys[(int) (next * 7919 % KEYS)];
        }
        if (plan.idempotent()) {
            item.id = base + next;
        }
        return item;
    }

    /** Does not compress. */
    static byte[] sampleValue(int size) {
        byte[] value = new byte[size];
        long state = 0x9e3779b97f4a7c15L;
        for (int i = 0; i < size; i++) {
            state ^= state << 13;
            state ^= state >>> 7;
            state ^= state << 17;
            value[i] = (byte) (state >>> 32);
        }
        return value;
    }
}
