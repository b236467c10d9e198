package io.spillway.broker.shard;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.PooledByteBufAllocator;
import io.spillway.broker.idempotency.KeyWindow;
import io.spillway.broker.idempotency.ProducerStates;
import io.spillway.broker.log.BatchCursor;
import io.spillway.broker.records.ProducerAdvanced;
import io.spillway.broker.records.StateRecord;
import io.spillway.protocol.Code;
import io.spillway.protocol.RecordBatch;
import io.spillway.protocol.RecordView;
import io.spillway.protocol.v1.Error;
import io.spillway.protocol.v1.ItemError;
import io.spillway.protocol.v1.KeyResult;
import io.spillway.protocol.v1.RetryClass;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Appends batches whose records carry idempotency keys: a record whose key the partition remembers is left out and
 * answered with its first offset, or refused when its content differs. When any is left out, the stored batch is a new
 * one without producer, and a {@link ProducerAdvanced} record tells the producer's state. Confined to the shard thread.
 */
final class KeyedPublishing {
    /** @param sequence the entry to wait for */
    record Result(
            long sequence,
            long baseOffset,
            long appendTimeMs,
            boolean duplicate,
            List<KeyResult> keyResults,
            List<ItemError> errors) {}

    private final ShardState state;
    private final Journal journal;
    private final ShardCounters counters;
    private final RecordView view = new RecordView();
    private final StoredKey stored;

    KeyedPublishing(ShardState state, Journal journal, ShardCounters counters) {
        this.state = state;
        this.journal = journal;
        this.counters = counters;
        stored = new StoredKey();
    }

    Result append(Partition partition, ByteBuf batch, long nowMs) {
        partition.keys.evict(nowMs);
        int at = batch.readerIndex();
        Sifted sifted = sift(partition, batch);
        long baseOffset = partition.endOffset;
        if (sifted.kept.cardinality() == RecordBatch.recordCount(batch, at)) {
            RecordBatch.stamp(batch, at, baseOffset, 0, nowMs);
            long sequence = journal.commit(List.of(), partition, batch, true);
            return new Result(sequence, baseOffset, nowMs, false, List.of(), List.of());
        }
        counters.duplicateKeys.add(sifted.results.size());
        counters.keyConflicts.add(sifted.conflicts);
        boolean none = sifted.kept.isEmpty();
        long resultOffset =
                none && !sifted.results.isEmpty() ? sifted.results.get(0).getOffset() : baseOffset;
        long resultTimeMs =
                none && !sifted.results.isEmpty() ? sifted.results.get(0).getAppendUnixMs() : nowMs;
        List<StateRecord> advanced = advanced(partition, batch, none ? -1 : baseOffset, nowMs);
        long sequence;
        if (none) {
            sequence = advanced.isEmpty() ? journal.lastSequence() : journal.commit(advanced);
        } else {
            ByteBuf rest = BatchRewriter.keep(batch, sifted.kept);
            try {
                RecordBatch.stamp(rest, rest.readerIndex(), baseOffset, 0, nowMs);
                sequence = journal.commit(advanced, partition, rest, true);
            } finally {
                rest.release();
            }
        }
        return new Result(
                sequence,
                resultOffset,
                resultTimeMs,
                none && sifted.conflicts == 0,
                relocate(sifted, baseOffset, nowMs),
                sifted.errors.list());
    }

    /** A batch that came again by its sequence: each keyed record with the result it had. */
    Result repeat(Partition partition, ByteBuf batch, ProducerStates.Admission first) {
        Sifted sifted = sift(partition, batch);
        long baseOffset = first.baseOffset();
        long timeMs = first.appendTimeMs();
        if (baseOffset < 0 && !sifted.results.isEmpty()) {
            baseOffset = sifted.results.get(0).getOffset();
            timeMs = sifted.results.get(0).getAppendUnixMs();
        }
        return new Result(journal.lastSequence(), baseOffset, timeMs, true, sifted.results, sifted.errors.list());
    }

    private static List<StateRecord> advanced(Partition partition, ByteBuf batch, long baseOffset, long nowMs) {
        int at = batch.readerIndex();
        long producerId = RecordBatch.producerId(batch, at);
        if (producerId == 0) {
            return List.of();
        }
        return List.of(StateRecord.newBuilder()
                .setProducerAdvanced(ProducerAdvanced.newBuilder()
                        .setPartitionId(partition.id)
                        .setProducerId(producerId)
                        .setEpoch(RecordBatch.producerEpoch(batch, at))
                        .setBaseSequence(RecordBatch.baseSequence(batch, at))
                        .setCount(RecordBatch.recordCount(batch, at))
                        .setCrc(RecordBatch.crc(batch, at))
                        .setBaseOffset(baseOffset)
                        .setAppendTimeMs(nowMs))
                .build());
    }

    /** Gives the scratch memory back. */
    void close() {
        stored.buffer.release();
    }

    /** Which records of a batch are new, and what to say of the others. */
    private static final class Sifted {
        final BitSet kept = new BitSet();
        final List<KeyResult> results = new ArrayList<>();
        final ItemErrors errors = new ItemErrors();
        int conflicts;
        /** Results that point at a record of this very batch: position in results -> index of the first record. */
        final Map<Integer, Integer> within = new HashMap<>();

        void conflict(int index, Partition partition, long offset) {
            errors.add(index, keyConflict(partition, offset));
            conflicts++;
        }
    }

    private record FirstInBatch(int index, int fingerprint) {}

    private Sifted sift(Partition partition, ByteBuf batch) {
        Sifted sifted = new Sifted();
        Map<String, FirstInBatch> seen = new HashMap<>();
        view.wrap(batch, batch.readerIndex());
        while (view.next()) {
            if (view.hasDedupId()) {
                siftRecord(partition, batch, sifted, seen);
            } else {
                sifted.kept.set(view.index());
            }
        }
        return sifted;
    }

    private void siftRecord(Partition partition, ByteBuf batch, Sifted sifted, Map<String, FirstInBatch> seen) {
        int index = view.index();
        int fingerprint = Fingerprint.of(view);
        String key = batch.toString(view.dedupAt(), view.dedupBytes(), java.nio.charset.StandardCharsets.ISO_8859_1);
        FirstInBatch earlier = seen.get(key);
        if (earlier != null) {
            if (earlier.fingerprint == fingerprint) {
                sifted.within.put(sifted.results.size(), earlier.index);
                sifted.results.add(KeyResult.newBuilder().setIndex(index).build());
            } else {
                sifted.conflict(index, partition, -1);
            }
            return;
        }
        stored.look(partition, batch, view.dedupAt(), view.dedupBytes());
        long handle = partition.keys.find(KeyWindow.hash(batch, view.dedupAt(), view.dedupBytes()), stored);
        if (handle < 0) {
            seen.put(key, new FirstInBatch(index, fingerprint));
            sifted.kept.set(index);
        } else if (partition.keys.fingerprint(handle) == fingerprint) {
            sifted.results.add(KeyResult.newBuilder()
                    .setIndex(index)
                    .setOffset(partition.keys.offset(handle))
                    .setAppendUnixMs(partition.keys.appendTimeMs(handle))
                    .build());
        } else {
            sifted.conflict(index, partition, partition.keys.offset(handle));
        }
    }

    /** Fills in the offsets of duplicates whose first copy came in the same batch. */
    private static List<KeyResult> relocate(Sifted sifted, long baseOffset, long nowMs) {
        sifted.within.forEach((position, firstIndex) -> sifted.results.set(
                position,
                sifted.results.get(position).toBuilder()
                        .setOffset(baseOffset + sifted.kept.get(0, firstIndex).cardinality())
                        .setAppendUnixMs(nowMs)
                        .build()));
        return sifted.results;
    }

    private static Error keyConflict(Partition partition, long offset) {
        return Error.newBuilder()
                .setCode(Code.IDEMPOTENCY_CONFLICT.number())
                .setReason(Code.IDEMPOTENCY_CONFLICT.name())
                .setRetry(RetryClass.RETRY_NEVER)
                .setMessage("an idempotency key of " + partition + " was used before for other content")
                .setCause("first_offset says where its first record is; -1 is in the same batch")
                .setNextStep("use a new idempotency key for new content")
                .putMetadata("first_offset", Long.toString(offset))
                .build();
    }

    /** Reads a stored record to tell whether it really has the key whose hash was met. */
    private final class StoredKey implements KeyWindow.KeyCheck {
        private final ByteBuf buffer = PooledByteBufAllocator.DEFAULT.directBuffer(64 << 10);
        private final RecordView stored = new RecordView();
        private @Nullable Partition partition;
        private @Nullable BatchCursor cursor;
        private ByteBuf sought = buffer;
        private int soughtAt;
        private int soughtBytes;

        /** The offsets of the batch in the buffer, [from, to). Input that is published again meets them in order. */
        private long heldFrom;

        private long heldTo;

        void look(Partition in, ByteBuf keyBuffer, int at, int bytes) {
            if (partition != in) {
                partition = in;
                cursor = state.log.cursor(in.id);
                heldTo = heldFrom;
            }
            sought = keyBuffer;
            soughtAt = at;
            soughtBytes = bytes;
        }

        @Override
        public boolean sameKey(long offset) {
            boolean held = heldFrom <= offset && offset < heldTo;
            if (!held && !load(offset)) {
                return false;
            }
            long index = offset - heldFrom;
            if (stored.index() > index) {
                stored.wrap(buffer, 0);
            }
            while (stored.index() < index) {
                if (!stored.next()) {
                    return false;
                }
            }
            return stored.hasDedupId()
                    && stored.dedupBytes() == soughtBytes
                    && io.netty.buffer.ByteBufUtil.equals(sought, soughtAt, buffer, stored.dedupAt(), soughtBytes);
        }

        /** Brings the batch with that offset into the buffer; false when it is not there any more. */
        private boolean load(long offset) {
            heldTo = heldFrom;
            BatchCursor reader = cursor;
            if (reader == null || !reader.seek(offset) || reader.baseOffset() > offset) {
                return false;
            }
            buffer.clear();
            if (!reader.copyTo(buffer)) {
                return false;
            }
            stored.wrap(buffer, 0);
            heldFrom = reader.baseOffset();
            heldTo = heldFrom + RecordBatch.recordCount(buffer, 0);
            return true;
        }
    }
}
