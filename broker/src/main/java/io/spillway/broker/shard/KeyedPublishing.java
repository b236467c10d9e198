package io.spillway.broker.shard;

import io.netty.buffer.ByteBuf;
import io.spillway.broker.idempotency.ProducerStates;
import io.spillway.broker.records.ProducerAdvanced;
import io.spillway.broker.records.StateRecord;
import io.spillway.protocol.Code;
import io.spillway.protocol.RecordBatch;
import io.spillway.protocol.v1.Error;
import io.spillway.protocol.v1.ItemError;
import io.spillway.protocol.v1.KeyResult;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.Comparator;
import java.util.List;

/**
 * Appends batches whose records carry idempotency keys: a record whose key the partition remembers is left out and
 * answered with its first offset, or refused when its content differs. When any is left out, the stored batch is a new
 * one without producer, and a {@link ProducerAdvanced} record tells the producer's state. Confined to the shard thread.
 */
final class KeyedPublishing {
    private static final int IN_PROGRESS_RETRY_AFTER_MS = 200;

    /**
     * @param sequence the entry to wait for
     * @param stored whether a record of the batch was stored
     */
    record Result(
            long sequence,
            boolean stored,
            long baseOffset,
            long appendTimeMs,
            boolean duplicate,
            List<KeyResult> keyResults,
            List<ItemError> errors) {

        static Result stored(long sequence, long baseOffset, long appendTimeMs) {
            return new Result(sequence, true, baseOffset, appendTimeMs, false, List.of(), List.of());
        }

        static Result duplicate(long sequence, long baseOffset, long appendTimeMs) {
            return new Result(sequence, false, baseOffset, appendTimeMs, true, List.of(), List.of());
        }

        /** Whether a first copy lies at this offset or behind. */
        boolean repeatsBehind(long offset) {
            for (int i = 0; i < keyResults.size(); i++) {
                if (keyResults.get(i).getOffset() >= offset) {
                    return true;
                }
            }
            return false;
        }

        /** What to say when the first copies from this offset on are not durable and there is no more time. */
        Result inProgress(Partition partition, long durableEnd) {
            List<KeyResult> durable = new ArrayList<>();
            ItemErrors waiting = new ItemErrors();
            for (KeyResult result : keyResults) {
                if (result.getOffset() < durableEnd) {
                    durable.add(result);
                } else {
                    waiting.add(result.getIndex(), KeyedPublishing.inProgress(partition));
                }
            }
            List<ItemError> all = new ArrayList<>(errors);
            all.addAll(waiting.list());
            all.sort(Comparator.comparingInt(ItemError::getIndex));
            return new Result(sequence, false, baseOffset, appendTimeMs, false, durable, all);
        }
    }

    private final Journal journal;
    private final ShardCounters counters;
    private final StoredKey stored;
    private final BatchKeys keys = new BatchKeys();
    private final KeySieve sieve;

    KeyedPublishing(ShardState state, Journal journal, ShardCounters counters) {
        this.journal = journal;
        this.counters = counters;
        stored = new StoredKey(state.log, journal);
        sieve = new KeySieve(stored, keys);
    }

    /** @param triedSinceMs since when the publisher tries to send the batch; {@link FirstAttempt#UNKNOWN} */
    Result append(Partition partition, ByteBuf batch, long triedSinceMs, long nowMs) {
        partition.keys.evict(nowMs);
        int at = batch.readerIndex();
        sieve.sift(partition, batch, triedSinceMs);
        long baseOffset = partition.endOffset;
        if (sieve.kept().cardinality() == RecordBatch.recordCount(batch, at)) {
            RecordBatch.stamp(batch, at, baseOffset, 0, nowMs);
            return Result.stored(journal.commit(partition, batch, keys), baseOffset, nowMs);
        }
        counters.duplicateKeys.add(sieve.duplicates());
        counters.keyConflicts.add(sieve.conflicts());
        counters.windowExceeded.add(sieve.tooOld());
        List<KeyResult> results = sieve.results(baseOffset, nowMs);
        List<ItemError> errors = sieve.errors(partition, baseOffset);
        return sieve.kept().isEmpty()
                ? appendNothing(partition, batch, results, errors, nowMs)
                : appendRest(partition, batch, results, errors, nowMs);
    }

    private Result appendNothing(
            Partition partition, ByteBuf batch, List<KeyResult> results, List<ItemError> errors, long nowMs) {
        List<StateRecord> advanced = advanced(partition, batch, -1, nowMs);
        long sequence = advanced.isEmpty() ? journal.lastSequence() : journal.commit(advanced);
        boolean known = !results.isEmpty();
        return new Result(
                sequence,
                false,
                known ? results.get(0).getOffset() : partition.endOffset,
                known ? results.get(0).getAppendUnixMs() : nowMs,
                errors.isEmpty(),
                results,
                errors);
    }

    private Result appendRest(
            Partition partition, ByteBuf batch, List<KeyResult> results, List<ItemError> errors, long nowMs) {
        long baseOffset = partition.endOffset;
        List<StateRecord> advanced = advanced(partition, batch, baseOffset, nowMs);
        ByteBuf rest = BatchRewriter.keep(batch, sieve.kept());
        try {
            RecordBatch.stamp(rest, rest.readerIndex(), baseOffset, 0, nowMs);
            long sequence = journal.commit(advanced, partition, rest, true);
            return new Result(sequence, true, baseOffset, nowMs, false, results, errors);
        } finally {
            rest.release();
        }
    }

    /** A batch that came again by its sequence: each record with the result it had, as far as that is known any more. */
    Result repeat(Partition partition, ByteBuf batch, ProducerStates.Admission first, long nowMs) {
        partition.keys.evict(nowMs);
        long baseOffset = first.baseOffset();
        BitSet before = baseOffset < 0 ? null : stored.storedOf(partition, batch, baseOffset);
        if (before == null) {
            baseOffset = ProducerStates.NO_OFFSET;
        }
        sieve.siftAgain(partition, batch, before);
        long timeMs = first.appendTimeMs();
        List<KeyResult> results = sieve.results(baseOffset, timeMs);
        if (sieve.kept().isEmpty() && !results.isEmpty()) {
            baseOffset = results.get(0).getOffset();
            timeMs = results.get(0).getAppendUnixMs();
        }
        List<ItemError> errors = sieve.errors(partition, baseOffset);
        return new Result(journal.lastSequence(), false, baseOffset, timeMs, true, results, errors);
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

    private static Error inProgress(Partition partition) {
        return Error.newBuilder()
                .setCode(Code.IDEMPOTENCY_IN_PROGRESS.number())
                .setReason(Code.IDEMPOTENCY_IN_PROGRESS.name())
                .setRetry(Code.IDEMPOTENCY_IN_PROGRESS.retry())
                .setRetryAfterMs(IN_PROGRESS_RETRY_AFTER_MS)
                .setMessage("the first record with this idempotency key in " + partition + " is not durable yet")
                .setCause("the disk is slow, or it has just been sent")
                .setNextStep("send it again after the stated time")
                .build();
    }

    /** Gives the scratch memory back. */
    void close() {
        stored.close();
    }
}
