package io.spillway.broker.idempotency;

import io.netty.buffer.ByteBuf;
import java.util.Arrays;

/**
 * The idempotency keys of one partition, newest first to stay: bounded by count and by log time. A ring holds each key's
 * hash, offset, fingerprint and time in the order of arrival (24 bytes a key), a table with linear probing at a load of at
 * most one half finds them (8 bytes a key). A hash that is met is verified by the caller against the stored record, so
 * there are no false positives. Confined to the shard thread.
 */
public final class KeyWindow {
    /** Tells whether the stored record at an offset really has the key that is looked for. */
    public interface KeyCheck {
        boolean sameKey(long offset);
    }

    private static final int FIRST_CAPACITY = 16;

    private int maxKeys;
    private long maxAgeMs;
    private long[] hashes = new long[FIRST_CAPACITY];
    private long[] offsets = new long[FIRST_CAPACITY];
    private int[] fingerprints = new int[FIRST_CAPACITY];
    /** Append time less {@link #baseMs}, unsigned; the window is at most 30 days. */
    private int[] times = new int[FIRST_CAPACITY];
    /** Ring position + 1, or 0. */
    private int[] table = new int[2 * FIRST_CAPACITY];

    private long baseMs;
    private int head;
    private int size;

    public KeyWindow(int maxKeys, long maxAgeMs) {
        this.maxKeys = maxKeys;
        this.maxAgeMs = maxAgeMs;
    }

    /** A handle to the key, or -1. */
    public long find(long keyHash, KeyCheck check) {
        int mask = table.length - 1;
        for (int slot = slot(keyHash, mask); table[slot] != 0; slot = (slot + 1) & mask) {
            int at = table[slot] - 1;
            if (hashes[at] == keyHash && check.sameKey(offsets[at])) {
                return at;
            }
        }
        return -1;
    }

    public long offset(long handle) {
        return offsets[(int) handle];
    }

    public int fingerprint(long handle) {
        return fingerprints[(int) handle];
    }

    public long appendTimeMs(long handle) {
        return baseMs + (times[(int) handle] & 0xffffffffL);
    }

    /** Remembers a key, forgetting the oldest beyond the bound. */
    public void put(long keyHash, int fingerprint, long offset, long appendTimeMs) {
        if (maxKeys == 0) {
            return;
        }
        if (size == 0) {
            baseMs = appendTimeMs;
        } else if (appendTimeMs - baseMs > 0xffffffffL) {
            rebase();
        }
        while (size >= maxKeys) {
            forgetOldest();
        }
        if (size == hashes.length) {
            grow();
        }
        int at = (head + size) & (hashes.length - 1);
        hashes[at] = keyHash;
        offsets[at] = offset;
        fingerprints[at] = fingerprint;
        times[at] = (int) Math.max(0, appendTimeMs - baseMs);
        size++;
        enter(at);
    }

    private void rebase() {
        long oldest = appendTimeMs(head);
        for (int i = 0; i < size; i++) {
            int at = (head + i) & (hashes.length - 1);
            times[at] = (int) (appendTimeMs(at) - oldest);
        }
        baseMs = oldest;
    }

    /** Forgets what is older than the window, by log time. */
    public void evict(long nowMs) {
        while (size > 0 && appendTimeMs(head) < nowMs - maxAgeMs) {
            forgetOldest();
        }
    }

    private void forgetOldest() {
        remove(head);
        head = (head + 1) & (hashes.length - 1);
        size--;
    }

    private void grow() {
        int capacity = hashes.length;
        hashes = unroll(hashes, new long[2 * capacity]);
        offsets = unroll(offsets, new long[2 * capacity]);
        fingerprints = unroll(fingerprints, new int[2 * capacity]);
        times = unroll(times, new int[2 * capacity]);
        head = 0;
        table = new int[4 * capacity];
        for (int at = 0; at < size; at++) {
            enter(at);
        }
    }

    private long[] unroll(long[] from, long[] to) {
        System.arraycopy(from, head, to, 0, from.length - head);
        System.arraycopy(from, 0, to, from.length - head, head);
        return to;
    }

    private int[] unroll(int[] from, int[] to) {
        System.arraycopy(from, head, to, 0, from.length - head);
        System.arraycopy(from, 0, to, from.length - head, head);
        return to;
    }

    private void enter(int at) {
        int mask = table.length - 1;
        int slot = slot(hashes[at], mask);
        while (table[slot] != 0) {
            slot = (slot + 1) & mask;
        }
        table[slot] = at + 1;
    }

    /** Takes an entry out of the table and closes the gap (Knuth, TAOCP 3, 6.4, algorithm R). */
    private void remove(int at) {
        int mask = table.length - 1;
        int hole = slot(hashes[at], mask);
        while (table[hole] != at + 1) {
            hole = (hole + 1) & mask;
        }
        int next = hole;
        while (true) {
            next = (next + 1) & mask;
            if (table[next] == 0) {
                break;
            }
            int home = slot(hashes[table[next] - 1], mask);
            boolean stays = hole <= next ? hole < home && home <= next : hole < home || home <= next;
            if (!stays) {
                table[hole] = table[next];
                hole = next;
            }
        }
        table[hole] = 0;
    }

    private static int slot(long hash, int mask) {
        return (int) (hash ^ (hash >>> 32)) & mask;
    }

    public int size() {
        return size;
    }

    /** Offset of the oldest key; the window must not be empty. */
    public long oldestOffset() {
        return offsets[head];
    }

    public long memoryBytes() {
        return 24L * hashes.length + 4L * table.length;
    }

    public void clear() {
        head = 0;
        size = 0;
        Arrays.fill(table, 0);
    }

    /** The topic's settings changed. */
    public void limits(int newMaxKeys, long newMaxAgeMs) {
        maxKeys = newMaxKeys;
        maxAgeMs = newMaxAgeMs;
        while (size > maxKeys) {
            forgetOldest();
        }
    }

    /** A 64-bit hash of a key: FNV-1a (Fowler, Noll, Vo), finished with the mixer of SplitMix64 (Steele, Lea, Flood). */
    public static long hash(ByteBuf buffer, int at, int bytes) {
        long hash = 0xcbf29ce484222325L;
        for (int i = 0; i < bytes; i++) {
            hash = (hash ^ buffer.getUnsignedByte(at + i)) * 0x100000001b3L;
        }
        hash = (hash ^ (hash >>> 30)) * 0xbf58476d1ce4e5b9L;
        hash = (hash ^ (hash >>> 27)) * 0x94d049bb133111ebL;
        return hash ^ (hash >>> 31);
    }
}
