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
 *  table  buckets of 16 slots of 1 int, one cache line, 2 slots for each key of the ring
 *         slots 0 to 14, 0 = empty, no empty one before a used one: tag = low hash bits | 1 | number of the key (low bits)
 *         slot 15, 0 = none: the newest key that belongs here and was put farther on, because this was full
 * </pre>
 *
 * A key's bucket is {@code hash * buckets >>> 32} (Lemire, "Fast random integer generation in an interval", 2019). Keys are
 * numbered as they come, so that a number tells whether its key is still in the ring: forgetting a key does not touch
 * the table, where it would meet memory that is in no cache. Whoever needs room overwrites what is forgotten, and puts
 * sweep the buckets in turn, long before a number comes again. A full ring costs 24 + 8 bytes a key.
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
    private static final int BUCKET_SLOTS = 16;
    private static final int KEY_SLOTS = BUCKET_SLOTS - 1;
    /** Puts from one sweep of a bucket to the next: all are swept while as many keys come as the ring holds. */
    private static final int PUTS_PER_SWEEP = BUCKET_SLOTS / SLOTS_PER_KEY;

    private static final int MIN_NUMBER_BITS = 8;

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
    private int buckets;
    /** The low bits of a slot: numbers of four times as many keys as the ring holds. */
    private int numberMask;

    private int numberBits;
    /** Number of the oldest key. */
    private int headNumber;

    private int putsToSweep = PUTS_PER_SWEEP;
    private int sweptBucket;
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
        int tag = tag(hash);
        int bucket = home(hash);
        for (int passed = 0; passed < buckets; passed++) {
            int at = bucket * BUCKET_SLOTS;
            int entry;
            for (int slot = at; slot < at + KEY_SLOTS && (entry = table.get(slot)) != 0; slot++) {
                if ((entry & ~numberMask) == tag && isLive(entry)) {
                    int index = wrap(head + rank(entry));
                    if (ring.hash(index) == hash && check.sameKey(ring.offset(index))) {
                        return index;
                    }
                }
            }
            if (!isLive(table.get(at + KEY_SLOTS))) {
                return NOT_FOUND;
            }
            bucket = after(bucket);
        }
        return NOT_FOUND;
    }

    /**
     * Reads what finding and putting these keys will read: one after the other each would wait for memory, here they wait
     * together.
     */
    public void prefetch(long[] keyHashes, int count) {
        if (buckets == 0) {
            return;
        }
        int read = 0;
        for (int i = 0; i < count; i++) {
            read += table.get(home((int) (keyHashes[i] >>> 32)) * BUCKET_SLOTS);
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
        insert(hash, headNumber + size & numberMask);
        size++;
        if (--putsToSweep == 0) {
            putsToSweep = PUTS_PER_SWEEP;
            sweptBucket = after(sweptBucket);
            sweep(sweptBucket * BUCKET_SLOTS);
        }
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
        return ring.bytes() + (long) buckets * BUCKET_SLOTS * Integer.BYTES;
    }

    /** Forgets every key and keeps the memory. */
    public void clear() {
        if (size > 0) {
            evictedUpToMs = Math.max(evictedUpToMs, newestMs);
        }
        for (int slot = 0; slot < buckets * BUCKET_SLOTS; slot++) {
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
        head = wrap(head + 1);
        headNumber = headNumber + 1 & numberMask;
        size--;
    }

    private void insert(int hash, int number) {
        int bucket = home(hash);
        while (!fits(bucket * BUCKET_SLOTS, tag(hash) | number)) {
            table.put(bucket * BUCKET_SLOTS + KEY_SLOTS, numberMask + 1 | number);
            bucket = after(bucket);
        }
    }

    /** Puts an entry into the bucket that begins here, unless that is full. */
    private boolean fits(int at, int entry) {
        for (int slot = at; slot < at + KEY_SLOTS; slot++) {
            if (!isLive(table.get(slot))) {
                table.put(slot, entry);
                return true;
            }
        }
        return false;
    }

    /** Empties the slots of forgotten keys. */
    private void sweep(int at) {
        int to = at;
        int entry;
        for (int slot = at; slot < at + KEY_SLOTS && (entry = table.get(slot)) != 0; slot++) {
            if (isLive(entry)) {
                table.put(to++, entry);
            }
        }
        for (; to < at + KEY_SLOTS && table.get(to) != 0; to++) {
            table.put(to, 0);
        }
        if (!isLive(table.get(at + KEY_SLOTS))) {
            table.put(at + KEY_SLOTS, 0);
        }
    }

    private int tag(int hash) {
        return (hash << 1 | 1) << numberBits;
    }

    private boolean isLive(int entry) {
        return entry != 0 && rank(entry) < size;
    }

    /** How many keys are older than the one with this number, if it is there. */
    private int rank(int entry) {
        return entry - headNumber & numberMask;
    }

    private void resize(int capacity) {
        KeyEntries old = ring;
        KeyEntries larger = capacity == 0 ? NO_RING : new KeyEntries(capacity);
        for (int i = 0; i < size; i++) {
            larger.copy(i, old, wrap(head + i));
        }
        ring = larger;
        head = 0;
        headNumber = 0;
        numberBits =
                Math.max(MIN_NUMBER_BITS, Integer.SIZE + 2 - Integer.numberOfLeadingZeros(Math.max(0, capacity - 1)));
        numberMask = (1 << numberBits) - 1;
        buckets = (SLOTS_PER_KEY * capacity + BUCKET_SLOTS - 1) / BUCKET_SLOTS;
        table = buckets == 0 ? NO_TABLE : table(buckets * BUCKET_SLOTS * Integer.BYTES);
        sweptBucket = 0;
        int all = size;
        size = 0;
        for (; size < all; size++) {
            insert(ring.hash(size), size);
        }
    }

    private static IntBuffer table(int bytes) {
        int line = BUCKET_SLOTS * Integer.BYTES;
        return ByteBuffer.allocateDirect(bytes + line)
                .alignedSlice(line)
                .order(ByteOrder.nativeOrder())
                .asIntBuffer();
    }

    private int home(int hash) {
        return (int) ((hash & 0xffffffffL) * buckets >>> 32);
    }

    private int after(int bucket) {
        return bucket + 1 == buckets ? 0 : bucket + 1;
    }

    private int wrap(int index) {
        return index >= ring.capacity() ? index - ring.capacity() : index;
    }
}
