package io.spillway.broker.idempotency;

import io.netty.buffer.ByteBuf;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.IntBuffer;

/**
 * The idempotency keys a partition accepted lately, oldest first, bounded by count and by log time. Neither keys nor
 * contents are kept: a key is found by 32 bits of its hash and then compared with the stored record, so that a hash
 * collision costs a read of the log and is never taken for a duplicate.
 *
 * <pre>
 *  ring   the entries in order of insertion, see {@link KeyEntries}
 *  table  1 int a slot, 2 slots for each key of the ring, linear probing, 0 = empty:
 *         tag = low hash bits | how far from its home slot, the last number meaning farther | ring index + 1
 * </pre>
 *
 * A key's home slot is {@code hash * slots >>> 32} (Lemire, "Fast random integer generation in an interval", 2019), so
 * slots need no power of two and the table keeps the order of the hashes, which makes rehashing a walk through memory.
 * Deletion shifts back (Knuth 6.4, algorithm R). A full ring costs 24 + 8 bytes a key.
 *
 * <p>Both are larger than caches, and each key meets them at a place of its own. So the table says what deletion asks of
 * the neighbours, and {@link #prefetch} lets the places of a whole batch be fetched side by side.
 *
 * <p>Confined to the shard thread.
 */
public final class KeyWindow {
    /** {@link #find} found nothing. */
    public static final long NOT_FOUND = -1;

    private static final long NEVER = Long.MIN_VALUE;

    /** Bound of {@code maxKeys}: what the table, one buffer, can hold. */
    public static final int MAX_KEYS = 1 << 27;

    private static final int FIRST_CAPACITY = 64;
    private static final int SLOTS_PER_KEY = 2;
    /** Up to so many bits of index, a slot has room for distances of 4 bits beside a tag. */
    private static final int ROOMY_INDEX_BITS = 26;

    private static final KeyEntries NO_RING = new KeyEntries(0);
    private static final IntBuffer NO_TABLE = IntBuffer.allocate(0);

    private int maxKeys;
    private long maxAgeMs;

    private KeyEntries ring = NO_RING;
    private int head;
    private int size;

    /** Append time of the newest key that was evicted. */
    private long evictedUpToMs = NEVER;

    /** The latest append time of all keys there were. */
    private long newestMs = NEVER;

    private IntBuffer table = NO_TABLE;
    private int slots;
    /** The low bits of a table slot, which hold the ring index + 1. */
    private int indexMask;

    private int indexBits;
    /** A distance of this or more is not in the slot. */
    private int farthest;

    private int tagShift;
    /** Keeps the reads of {@link #prefetch} from being left out. */
    @SuppressWarnings("UnusedVariable")
    private int fetched;

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
        if (ring.capacity() > maxKeys) {
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
        int tag = hash << tagShift;
        int entry;
        for (int slot = home(hash); (entry = table.get(slot)) != 0; slot = after(slot)) {
            if (entry >>> tagShift << tagShift != tag) {
                continue;
            }
            int index = (entry & indexMask) - 1;
            if (ring.hash(index) == hash && check.sameKey(ring.offset(index))) {
                return index;
            }
        }
        return NOT_FOUND;
    }

    /**
     * Reads what finding and putting these keys, and evicting as many, will read: one after the other each would wait for
     * memory, here they wait together.
     */
    public void prefetch(long[] keyHashes, int count) {
        if (slots == 0) {
            return;
        }
        int read = 0;
        for (int i = 0; i < count; i++) {
            read += table.get(home((int) (keyHashes[i] >>> 32)));
        }
        int evictions = Math.min(size, count - (maxKeys - size));
        for (int i = 0; i < evictions; i++) {
            read += table.get(home(ring.hash(wrap(head + i))));
        }
        fetched = read;
    }

    /** Offset of the record that had the key first. */
    public long offset(long handle) {
        return ring.offset((int) handle);
    }

    /** Fingerprint of its content, as given to {@link #put}. */
    public int fingerprint(long handle) {
        return ring.fingerprint((int) handle);
    }

    public long appendTimeMs(long handle) {
        return ring.appendTimeMs((int) handle);
    }

    /** Remembers a key that {@link #find} did not find, and evicts the oldest key when there would be too many. */
    public void put(long keyHash, int fingerprint, long offset, long appendTimeMs) {
        if (maxKeys == 0) {
            evictedUpToMs = Math.max(evictedUpToMs, appendTimeMs);
            return;
        }
        if (size == maxKeys) {
            evictOldest();
        } else if (size == ring.capacity()) {
            resize((int) Math.min(maxKeys, Math.max(FIRST_CAPACITY, 2L * size)));
        }
        newestMs = Math.max(newestMs, appendTimeMs);
        int hash = (int) (keyHash >>> 32);
        int index = wrap(head + size);
        ring.set(index, offset, appendTimeMs, hash, fingerprint);
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

    /** Makes room for so many keys at once, for whoever knows that they come. */
    public void reserve(int keys) {
        int capacity = Math.min(keys, maxKeys);
        if (capacity > ring.capacity()) {
            resize(capacity);
        }
    }

    /** Bytes of memory behind it, outside the heap. */
    public long memoryBytes() {
        return ring.bytes() + (long) slots * Integer.BYTES;
    }

    /** Forgets every key and keeps the memory. */
    public void clear() {
        if (size > 0) {
            evictedUpToMs = Math.max(evictedUpToMs, newestMs);
        }
        for (int slot = 0; slot < slots; slot++) {
            table.put(slot, 0);
        }
        head = 0;
        size = 0;
    }

    /** 64-bit hash of a key: XXH64 with seed 0 (Collet, xxHash specification 0.1.1). */
    public static long hash(ByteBuf buffer, int at, int bytes) {
        return XxHash64.hash(buffer, at, bytes);
    }

    private void evictOldest() {
        evictedUpToMs = Math.max(evictedUpToMs, appendTimeMs(head));
        remove(ring.hash(head), head);
        head = wrap(head + 1);
        size--;
    }

    private void insert(int hash, int index) {
        int slot = home(hash);
        int distance = 0;
        while (table.get(slot) != 0) {
            slot = after(slot);
            distance++;
        }
        table.put(slot, hash << tagShift | Math.min(distance, farthest) << indexBits | index + 1);
    }

    private void remove(int hash, int index) {
        int hole = home(hash);
        while ((table.get(hole) & indexMask) != index + 1) {
            hole = after(hole);
        }
        int entry;
        int gap = 1;
        for (int slot = after(hole); (entry = table.get(slot)) != 0; slot = after(slot)) {
            int distance = distance(entry, slot);
            // An entry may move back into the hole unless its home lies behind that.
            if (distance >= gap) {
                int moved = Math.min(distance - gap, farthest) << indexBits;
                table.put(hole, entry & ~(farthest << indexBits) | moved);
                hole = slot;
                gap = 0;
            }
            gap++;
        }
        table.put(hole, 0);
    }

    /** Slots between an entry's home and where it is. */
    private int distance(int entry, int slot) {
        int distance = entry >>> indexBits & farthest;
        if (distance < farthest) {
            return distance;
        }
        int home = home(ring.hash((entry & indexMask) - 1));
        return slot >= home ? slot - home : slot - home + slots;
    }

    private void resize(int capacity) {
        KeyEntries old = ring;
        KeyEntries larger = capacity == 0 ? NO_RING : new KeyEntries(capacity);
        for (int i = 0; i < size; i++) {
            larger.copy(i, old, wrap(head + i));
        }
        ring = larger;
        head = 0;
        slots = SLOTS_PER_KEY * capacity;
        table = capacity == 0
                ? NO_TABLE
                : ByteBuffer.allocateDirect(slots * Integer.BYTES)
                        .order(ByteOrder.nativeOrder())
                        .asIntBuffer();
        indexBits = Integer.SIZE - Integer.numberOfLeadingZeros(capacity);
        indexMask = (1 << indexBits) - 1;
        int distanceBits = indexBits <= ROOMY_INDEX_BITS ? 4 : 3;
        farthest = (1 << distanceBits) - 1;
        tagShift = indexBits + distanceBits;
        for (int index = 0; index < size; index++) {
            insert(ring.hash(index), index);
        }
    }

    private int home(int hash) {
        return (int) ((hash & 0xffffffffL) * slots >>> 32);
    }

    private int after(int slot) {
        return slot + 1 == slots ? 0 : slot + 1;
    }

    private int wrap(int index) {
        return index >= ring.capacity() ? index - ring.capacity() : index;
    }
}
