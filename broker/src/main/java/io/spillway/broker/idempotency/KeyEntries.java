package io.spillway.broker.idempotency;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * A fixed number of entries of a key window, outside the heap, so that millions of keys do not make a collector copy them.
 *
 * <pre>
 *  i64 offset | i64 append time | i32 hash | i32 fingerprint
 * </pre>
 */
final class KeyEntries {
    static final int ENTRY_BYTES = 24;
    private static final int CHUNK_BITS = 20;
    private static final int CHUNK_ENTRIES = 1 << CHUNK_BITS;

    private final int capacity;
    private final ByteBuffer[] chunks;

    KeyEntries(int capacity) {
        this.capacity = capacity;
        chunks = new ByteBuffer[(int) (((long) capacity + CHUNK_ENTRIES - 1) >>> CHUNK_BITS)];
        for (int i = 0; i < chunks.length; i++) {
            int entries = Math.min(CHUNK_ENTRIES, capacity - (i << CHUNK_BITS));
            chunks[i] = ByteBuffer.allocateDirect(entries * ENTRY_BYTES).order(ByteOrder.nativeOrder());
        }
    }

    int capacity() {
        return capacity;
    }

    long bytes() {
        return (long) capacity * ENTRY_BYTES;
    }

    void set(int index, long offset, long appendTimeMs, int hash, int fingerprint) {
        ByteBuffer chunk = chunk(index);
        int at = at(index);
        chunk.putLong(at, offset);
        chunk.putLong(at + 8, appendTimeMs);
        chunk.putInt(at + 16, hash);
        chunk.putInt(at + 20, fingerprint);
    }

    void copy(int index, KeyEntries from, int fromIndex) {
        set(
                index,
                from.offset(fromIndex),
                from.appendTimeMs(fromIndex),
                from.hash(fromIndex),
                from.fingerprint(fromIndex));
    }

    long offset(int index) {
        return chunk(index).getLong(at(index));
    }

    long appendTimeMs(int index) {
        return chunk(index).getLong(at(index) + 8);
    }

    int hash(int index) {
        return chunk(index).getInt(at(index) + 16);
    }

    int fingerprint(int index) {
        return chunk(index).getInt(at(index) + 20);
    }

    private ByteBuffer chunk(int index) {
        return chunks[index >>> CHUNK_BITS];
    }

    private static int at(int index) {
        return (index & CHUNK_ENTRIES - 1) * ENTRY_BYTES;
    }
}
