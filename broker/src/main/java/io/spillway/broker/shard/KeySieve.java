package io.spillway.broker.shard;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.spillway.broker.idempotency.KeyWindow;
import io.spillway.protocol.Code;
import io.spillway.protocol.RecordBatch;
import io.spillway.protocol.v1.Error;
import io.spillway.protocol.v1.ItemError;
import io.spillway.protocol.v1.KeyResult;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Sorts the records of a batch by their idempotency keys: new ones, duplicates of what the partition remembers or of an
 * earlier record of the batch, conflicts with it, and retries of which nobody can tell any more. A batch of new keys alone
 * makes no garbage. Confined to the shard thread; it speaks of the batch it sifted last.
 */
final class KeySieve {
    private static final int NONE = -1;

    /**
     * A record that is not stored.
     *
     * @param offset of the first record with its key, unless that is in the same batch
     * @param first the record of the same batch that had the key first, or -1
     */
    private record Left(int index, long offset, long appendTimeMs, int first) {}

    private final StoredKey stored;
    private final BatchKeys keys;
    private final BitSet kept = new BitSet();
    private final List<Left> duplicates = new ArrayList<>();
    private final List<Left> conflicts = new ArrayList<>();
    private final BitSet tooOld = new BitSet();
    /** New keys of the batch by hash, linear probing: position in the keys + 1, 0 = empty. */
    private int[] table = new int[128];

    private int tableMask;

    KeySieve(StoredKey stored, BatchKeys keys) {
        this.stored = stored;
        this.keys = keys;
    }

    /** @param triedSinceMs since when the publisher tries to send the batch; {@link FirstAttempt#UNKNOWN} */
    void sift(Partition partition, ByteBuf batch, long triedSinceMs) {
        begin(partition, batch);
        for (int i = 0; i < keys.count(); i++) {
            int first = findInBatch(batch, i);
            if (first == NONE) {
                siftAgainstWindow(partition, batch, i, triedSinceMs);
            } else {
                leaveForFirst(i, first);
            }
        }
    }

    /**
     * The same of a batch that came before.
     *
     * @param before what was stored of it then; null = nobody knows, but that records without a key were
     */
    void siftAgain(Partition partition, ByteBuf batch, @Nullable BitSet before) {
        begin(partition, batch);
        for (int i = 0; i < keys.count(); i++) {
            int first = findInBatch(batch, i);
            if (before != null && before.get(keys.index(i))) {
                table[emptySlot(i)] = i + 1;
            } else if (first != NONE) {
                leaveForFirst(i, first);
            } else if (!isRemembered(partition, batch, i)) {
                tooOld.set(keys.index(i));
                kept.clear(keys.index(i));
            }
        }
    }

    private void begin(Partition partition, ByteBuf batch) {
        keys.read(batch);
        kept.clear();
        kept.set(0, RecordBatch.recordCount(batch, batch.readerIndex()));
        duplicates.clear();
        conflicts.clear();
        tooOld.clear();
        clearTable(keys.count());
        partition.keys.prefetch(keys.hashes(), keys.count());
    }

    private void siftAgainstWindow(Partition partition, ByteBuf batch, int i, long triedSinceMs) {
        KeyWindow window = partition.keys;
        if (isRemembered(partition, batch, i)) {
            return;
        }
        if (window.hasEvicted() && triedSince(batch, i, triedSinceMs) <= window.evictedUpToMs()) {
            tooOld.set(keys.index(i));
            kept.clear(keys.index(i));
        } else {
            table[emptySlot(i)] = i + 1;
        }
    }

    /** Whether the partition remembers the key; then the record is left out. */
    private boolean isRemembered(Partition partition, ByteBuf batch, int i) {
        KeyWindow window = partition.keys;
        stored.look(partition, batch, keys.at(i), keys.bytes(i));
        long handle = window.find(keys.hash(i), stored);
        if (handle < 0) {
            return false;
        }
        boolean same = window.fingerprint(handle) == keys.fingerprint(i);
        leave(
                i,
                same ? duplicates : conflicts,
                new Left(keys.index(i), window.offset(handle), window.appendTimeMs(handle), NONE));
        return true;
    }

    /** An earlier record of the batch has the same key. */
    private void leaveForFirst(int i, int first) {
        boolean same = keys.fingerprint(first) == keys.fingerprint(i);
        leave(i, same ? duplicates : conflicts, new Left(keys.index(i), 0, 0, keys.index(first)));
    }

    private long triedSince(ByteBuf batch, int i, long triedSinceMs) {
        return Math.min(triedSinceMs, FirstAttempt.ms(batch, keys.headersAt(i), keys.headers(i)));
    }

    private void leave(int i, List<Left> where, Left record) {
        where.add(record);
        kept.clear(keys.index(i));
    }

    private void clearTable(int count) {
        int slots = Integer.highestOneBit(2 * count + 1) << 1;
        if (table.length < slots) {
            table = new int[slots];
        } else {
            Arrays.fill(table, 0, slots, 0);
        }
        tableMask = slots - 1;
    }

    private int findInBatch(ByteBuf batch, int i) {
        for (int slot = (int) keys.hash(i) & tableMask; table[slot] != 0; slot = (slot + 1) & tableMask) {
            int other = table[slot] - 1;
            if (keys.hash(other) == keys.hash(i)
                    && keys.bytes(other) == keys.bytes(i)
                    && ByteBufUtil.equals(batch, keys.at(other), batch, keys.at(i), keys.bytes(i))) {
                return other;
            }
        }
        return NONE;
    }

    private int emptySlot(int i) {
        int slot = (int) keys.hash(i) & tableMask;
        while (table[slot] != 0) {
            slot = (slot + 1) & tableMask;
        }
        return slot;
    }

    /** The records to store. */
    BitSet kept() {
        return kept;
    }

    int duplicates() {
        return duplicates.size();
    }

    int conflicts() {
        return conflicts.size();
    }

    int tooOld() {
        return tooOld.cardinality();
    }

    /** The first results of the duplicates, the others of this batch being stored from an offset on. */
    List<KeyResult> results(long baseOffset, long nowMs) {
        List<KeyResult> results = new ArrayList<>(duplicates.size());
        for (Left record : duplicates) {
            results.add(KeyResult.newBuilder()
                    .setIndex(record.index)
                    .setOffset(offset(record, baseOffset))
                    .setAppendUnixMs(record.first == NONE ? record.appendTimeMs : nowMs)
                    .build());
        }
        return results;
    }

    private long offset(Left record, long baseOffset) {
        return record.first == NONE
                ? record.offset
                : baseOffset + kept.get(0, record.first).cardinality();
    }

    /** What to say of the records that are refused, in rising order. */
    List<ItemError> errors(Partition partition, long baseOffset) {
        ItemErrors errors = new ItemErrors();
        int old = tooOld.nextSetBit(0);
        for (Left record : conflicts) {
            for (; old >= 0 && old < record.index; old = tooOld.nextSetBit(old + 1)) {
                errors.add(old, windowExceeded(partition));
            }
            errors.add(record.index, conflict(partition, offset(record, baseOffset)));
        }
        for (; old >= 0; old = tooOld.nextSetBit(old + 1)) {
            errors.add(old, windowExceeded(partition));
        }
        return errors.list();
    }

    private static Error conflict(Partition partition, long firstOffset) {
        return error(Code.IDEMPOTENCY_CONFLICT)
                .setMessage("an idempotency key of " + partition + " was used before for other content")
                .setCause("first_offset says where its first record is")
                .setNextStep("use a new idempotency key for new content")
                .putMetadata("first_offset", Long.toString(firstOffset))
                .build();
    }

    private static Error windowExceeded(Partition partition) {
        return error(Code.DEDUP_WINDOW_EXCEEDED)
                .setMessage("a record that may have been stored before was not stored in " + partition)
                .setCause("its first attempt is older than what the partition remembers of idempotency keys")
                .setNextStep("look whether it is there, and send it under a new key if not; widen dedup.window.* or "
                        + "retry sooner")
                .putMetadata("evicted_up_to_ms", Long.toString(partition.keys.evictedUpToMs()))
                .build();
    }

    private static Error.Builder error(Code code) {
        return Error.newBuilder().setCode(code.number()).setReason(code.name()).setRetry(code.retry());
    }
}
