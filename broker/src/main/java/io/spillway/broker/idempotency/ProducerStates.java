package io.spillway.broker.idempotency;

import io.spillway.broker.records.ProducerState;
import java.util.function.Consumer;
import org.agrona.collections.Long2ObjectHashMap;
import org.jspecify.annotations.Nullable;

/**
 * The producer sequences of one partition: which batch a producer has to send next, and the last 64 it sent, so that a
 * retry finds its first result. Durable state: only {@link #apply} and {@link #restore} change it, besides forgetting.
 *
 * <p>A producer nobody knows (new, or idle for too long) starts at sequence 0, and so does each higher epoch.
 *
 * <p>Confined to the shard thread.
 */
public final class ProducerStates {
    /** How many batches of a producer can be recognized with their offsets. */
    public static final int WINDOW = 64;

    /** No stored record is known. */
    public static final long NO_OFFSET = -1;

    /** What a batch is to its producer's sequence. */
    public enum Verdict {
        /** The next one: append it. */
        NEW,
        /** Accepted before with the same content; the offset is -1 when that was too long ago to be remembered. */
        DUPLICATE,
        /** Its sequences were accepted before with other content or in other batches. */
        CONFLICT,
        /** Batches before it are missing. */
        GAP,
        /** A higher epoch of this producer exists. */
        FENCED
    }

    /**
     * The answer to a batch.
     *
     * @param baseOffset offset of the batch that was accepted before, -1 when unknown
     * @param expectedSequence the sequence the producer has to send next, -1 for NEW and FENCED
     * @param appendTimeMs when the earlier batch was appended, 0 when unknown
     */
    public record Admission(Verdict verdict, long baseOffset, long expectedSequence, long appendTimeMs) {
        private static final Admission NEW = new Admission(Verdict.NEW, NO_OFFSET, -1, 0);
        private static final Admission FENCED = new Admission(Verdict.FENCED, NO_OFFSET, -1, 0);
    }

    /**
     * The last batch of a producer.
     *
     * @param lastOffset offset of its last record if it was stored whole, -1 when unknown
     */
    public record Last(int epoch, long lastSequence, long lastOffset) {}

    private final Long2ObjectHashMap<Producer> producers = new Long2ObjectHashMap<>();

    /** Judges a batch and changes nothing. Epochs are 0..65535, counts at least 1. */
    public Admission admit(long producerId, int epoch, long baseSequence, int count, int crc) {
        var producer = producers.get(producerId);
        if (producer == null || epoch > producer.epoch) {
            return baseSequence == 0 ? Admission.NEW : new Admission(Verdict.GAP, NO_OFFSET, 0, 0);
        }
        if (epoch < producer.epoch) {
            return Admission.FENCED;
        }
        if (baseSequence == producer.nextSequence) {
            return Admission.NEW;
        }
        return producer.judge(baseSequence, count, crc);
    }

    /** A batch was accepted; it came after {@link #admit} said NEW, now or before a restart. */
    public void apply(
            long producerId, int epoch, long baseSequence, int count, int crc, long baseOffset, long appendTimeMs) {
        var producer = producers.get(producerId);
        if (producer == null || epoch > producer.epoch) {
            producer = new Producer(epoch);
            producers.put(producerId, producer);
        }
        producer.add(baseSequence, count, crc, baseOffset, appendTimeMs);
    }

    /** The last batch of a producer; null when the partition does not know it. */
    public @Nullable Last last(long producerId) {
        var producer = producers.get(producerId);
        return producer == null ? null : new Last(producer.epoch, producer.nextSequence - 1, producer.lastOffset());
    }

    /** Forgets the producers whose last batch was appended before this time. */
    public void expire(long idleBeforeMs) {
        producers.values().removeIf(producer -> producer.lastUsedMs < idleBeforeMs);
    }

    public int size() {
        return producers.size();
    }

    /** Hands out every producer as its durable record. */
    public void snapshot(Consumer<ProducerState> out) {
        producers.forEachLong((id, producer) -> out.accept(producer.toRecord(id)));
    }

    /**
     * Hands out, of the producers that had a batch stored at an offset of [from, to), what they had done when the
     * partition ended at {@code to}.
     *
     * @param sinceMs no batch of the range is older
     */
    public void storedIn(long from, long to, long sinceMs, Consumer<ProducerState> out) {
        producers.forEachLong((id, producer) -> {
            if (producer.lastUsedMs >= sinceMs && producer.storedIn(from, to)) {
                out.accept(producer.toRecord(id, to));
            }
        });
    }

    /** Takes in a record that {@link #snapshot} gave. */
    public void restore(ProducerState state) {
        producers.put(state.getProducerId(), Producer.of(state));
    }
}
