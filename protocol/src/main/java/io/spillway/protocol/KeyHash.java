package io.spillway.protocol;

/**
 * The hash of a record's key: murmur3's 32-bit finalizer over CRC-32C, so that three languages agree with what each
 * already has. It chooses the partition and the key slot.
 */
public final class KeyHash {
    public static final int SLOTS = 1024;

    private KeyHash() {}

    public static int of(byte[] key) {
        return mix(Crc.crc32c(key));
    }

    /** fmix32 of MurmurHash3 (Appleby, public domain). */
    static int mix(int hash) {
        int h = hash;
        h ^= h >>> 16;
        h *= 0x85ebca6b;
        h ^= h >>> 13;
        h *= 0xc2b2ae35;
        return h ^ (h >>> 16);
    }

    /** The key slot, 0..1023. */
    public static int slot(int hash) {
        return hash & (SLOTS - 1);
    }

    /** The partition of a keyed record: by the high bits, which the slot does not use. */
    public static int partition(int hash, int partitions) {
        return (int) (((hash & 0xffffffffL) * partitions) >>> 32);
    }
}
