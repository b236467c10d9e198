package io.spillway.broker.idempotency;

import io.netty.buffer.ByteBuf;
import java.util.Arrays;

/**
 * The idempotency keys a partition accepted lately, oldest first, bounded by count and by log time. Neither keys nor
 * contents are kept: a key is found by 32 bits of its hash and then compared with the stored record, so that a hash
 * collision costs a read of the log and is never taken for a duplicate.
 *
 * <pre>
 *  ring   3 longs a key, in order of insertion: offset | append time | hash (high 32) fingerprint (low 32)
 *  table  1 int a slot, 2 slots for each key of the ring, linear probing, 0 = empty:
 *         tag = low hash bits (high bits of the int) | ring index + 1 (low bits)
 * </pre>
 *
 * A key's home slot is {@code hash * slots >>> 32} (Lemire, "Fast random integer generation in an interval", 2019), so
 * slots need no power of two and the table keeps the order of the hashes, which makes rehashing a walk through memory.
 * Deletion shifts back (Knuth 6.4, algorithm R). A full ring costs 24 + 8 bytes a key.
 *
 * <p>Confined to the shard thread.
 */
public final class KeyWindow {
    /** {@link #find} found nothing. */
    public static final long NOT_FOUND = -1;

    private static final long NEVER = Long.MIN_VALUE;

    /** Bound of {@code maxKeys}: what one ring array can hold. */
    public static final int MAX_KEYS = 1 << 29;

    private static final int FIRST_CAPACITY = 64;
    private static final int ENTRY_LONGS = 3;
    private static final long[] NO_RING = {};
    private static final int[] NO_TABLE = {};

    private int maxKeys;
    private long maxAgeMs;

    private long[] ring = NO_RING;
    private int capacity;
    private int head;
    private int size;

    /** Append time of the newest key that was evicted. */
    private long evictedUpToMs = NEVER;

    /** The latest append time of all keys there were. */
    private long newestMs = NEVER;

    private int[] table = NO_TABLE;
    /** The low bits of a table slot, which hold the ring index + 1; the rest holds the tag. */
    private int indexMask;

    /** Verifies a hash hit against the stored record. */
    public interface KeyCheck {
        /** Whether the record at this offset has the key that is looked for. */
        boolean sameKey(long offset);
    }

    public KeyWindow(int maxKeys, long maxAgeMs) {
        limits(maxKeys, maxAgeMs);
    }

    /** The topic's configuration changed; what is now too much is evicted by count at once, by age at the next evict. */
    public void limits(int maxKeys, long maxAgeMs) {
        if (maxKeys < 0 || maxKeys > MAX_KEYS || maxAgeMs < 0) {
            throw new IllegalArgumentException(
                    "key window of " + maxKeys + " keys and " + maxAgeMs + " ms; 0.." + MAX_KEYS + " keys, age from 0");
        }
        this.maxKeys = maxKeys;
        this.maxAgeMs = maxAgeMs;
        while (size > maxKeys) {
            evictOldest();
        }
        if (capacity > maxKeys) {
            resize(maxKeys);
        }
    }

    /**
     * The handle of the key with this hash that the check confirms, or {@link #NOT_FOUND}. Handles
     * hold until the next put or evict.
     */
    public long find(long keyHash, KeyCheck check) {
        if (size == 0) {
            return NOT_FOUND;
        }
        int hash = (int) (keyHash >>> 32);
        int tag = hash & ~indexMask;
        for (int slot = home(hash); table[slot] != 0; slot = after(slot)) {
            int entry = table[slot];
            if ((entry & ~indexMask) != tag) {
                continue;
            }
            int index = (entry & indexMask) - 1;
            if (hashAt(index) == hash && check.sameKey(ring[index * ENTRY_LONGS])) {
                return index;
            }
        }
        return NOT_FOUND;
    }

    /** Offset of the record that had the key first. */
    public long offset(long handle) {
        return ring[(int) handle * ENTRY_LONGS];
    }

    /** Fingerprint of its content, as given to {@link #put}. */
    public int fingerprint(long handle) {
        return (int) ring[(int) handle * ENTRY_LONGS + 2];
    }

    public long appendTimeMs(long handle) {
        return ring[(int) handle * ENTRY_LONGS + 1];
    }

    /** Remembers a key that {@link #find} did not find, and evicts the oldest key when there would be too many. */
    public void put(long keyHash, int fingerprint, long offset, long appendTimeMs) {
        if (maxKeys == 0) {
            evictedUpToMs = Math.max(evictedUpToMs, appendTimeMs);
            return;
        }
        if (size == maxKeys) {
            evictOldest();
        } else if (size == capacity) {
            resize((int) Math.min(maxKeys, Math.max(FIRST_CAPACITY, 2L * capacity)));
        }
        newestMs = Math.max(newestMs, appendTimeMs);
        int hash = (int) (keyHash >>> 32);
        int index = wrap(head + size);
        ring[index * ENTRY_LONGS] = offset;
        ring[index * ENTRY_LONGS + 1] = appendTimeMs;
        ring[index * ENTRY_LONGS + 2] = (long) hash << 32 | fingerprint & 0xffffffffL;
        size++;
        insert(hash, index);
    }

    /** Evicts the keys that were appended more than the maximum age before this log time. */
    public void evict(long nowMs) {
        long oldestMs = nowMs - maxAgeMs;
        if (size > 0 && appendTimeMs(wrap(head + size - 1)) < oldestMs) {
            clear();
        }
        while (size > 0 && appendTimeMs(head) < oldestMs) {
            evictOldest();
        }
    }

    /** Evicts the keys of records before this offset, which are there no more. */
    public void evictBelow(long offset) {
        while (size > 0 && offset(head) < offset) {
            evictOldest();
        }
    }

    /** Whether a key was ever forgotten. */
    public boolean hasEvicted() {
        return evictedUpToMs != NEVER;
    }

    /** Append time of the newest key that was evicted; of keys appended later, all are here. */
    public long evictedUpToMs() {
        return evictedUpToMs;
    }

    /** Keys appended up to this time may have been forgotten before a restart. */
    public void evictedBefore(long appendTimeMs) {
        evictedUpToMs = Math.max(evictedUpToMs, appendTimeMs);
    }

    public int size() {
        return size;
    }

    /** Offset of the oldest key; the window must not be empty. */
    public long oldestOffset() {
        if (size == 0) {
            throw new IllegalStateException("the key window is empty");
        }
        return offset(head);
    }

    /** Append time of the oldest key; the window must not be empty. */
    public long oldestAppendTimeMs() {
        if (size == 0) {
            throw new IllegalStateException("the key window is empty");
        }
        return appendTimeMs(head);
    }

    /** Bytes of the arrays behind it. */
    public long memoryBytes() {
        return (long) ring.length * Long.BYTES + (long) table.length * Integer.BYTES;
    }

    /** Forgets every key and keeps the memory. */
    public void clear() {
        if (size > 0) {
            evictedUpToMs = Math.max(evictedUpToMs, newestMs);
        }
        Arrays.fill(table, 0);
        head = 0;
        size = 0;
    }

    /** 64-bit hash of a key: XXH64 with seed 0 (Collet, xxHash specification 0.1.1). */
    public static long hash(ByteBuf buffer, int at, int bytes) {
        return XxHash64.hash(buffer, at, bytes);
    }

    private void evictOldest() {
        evictedUpToMs = Math.max(evictedUpToMs, appendTimeMs(head));
        remove(hashAt(head), head);
        head = wrap(head + 1);
        size--;
    }

    private void insert(int hash, int index) {
        int slot = home(hash);
        while (table[slot] != 0) {
            slot = after(slot);
        }
        table[slot] = hash & ~indexMask | index + 1;
    }

    private void remove(int hash, int index) {
        int hole = home(hash);
        while ((table[hole] & indexMask) != index + 1) {
            hole = after(hole);
        }
        for (int slot = after(hole); table[slot] != 0; slot = after(slot)) {
            int home = home(hashAt((table[slot] & indexMask) - 1));
            // An entry may move back into the hole unless its home lies cyclically behind it, in (hole, slot].
            boolean behind = hole <= slot ? hole < home && home <= slot : hole < home || home <= slot;
            if (!behind) {
                table[hole] = table[slot];
                hole = slot;
            }
        }
        table[hole] = 0;
    }

    private void resize(int newCapacity) {
        var newRing = newCapacity == 0 ? NO_RING : new long[newCapacity * ENTRY_LONGS];
        int first = Math.min(size, capacity - head);
        System.arraycopy(ring, head * ENTRY_LONGS, newRing, 0, first * ENTRY_LONGS);
        System.arraycopy(ring, 0, newRing, first * ENTRY_LONGS, (size - first) * ENTRY_LONGS);
        ring = newRing;
        capacity = newCapacity;
        head = 0;
        table = newCapacity == 0 ? NO_TABLE : new int[2 * newCapacity];
        indexMask = -1 >>> Integer.numberOfLeadingZeros(newCapacity);
        for (int index = 0; index < size; index++) {
            insert(hashAt(index), index);
        }
    }

    private int hashAt(int index) {
        return (int) (ring[index * ENTRY_LONGS + 2] >>> 32);
    }

    private int home(int hash) {
        return (int) ((hash & 0xffffffffL) * table.length >>> 32);
    }

    private int after(int slot) {
        return slot + 1 == table.length ? 0 : slot + 1;
    }

    private int wrap(int index) {
        return index >= capacity ? index - capacity : index;
    }
}
