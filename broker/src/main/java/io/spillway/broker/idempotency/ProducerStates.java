package io.spillway.broker.idempotency;

import io.spillway.broker.records.AcceptedBatch;
import io.spillway.broker.records.ProducerState;
import java.util.function.Consumer;
import org.agrona.collections.Long2ObjectHashMap;
import org.jspecify.annotations.Nullable;

/**
 * Producer sequences of one partition: which batch is new, which came before and with what result. Each producer's newest
 * {@value #WINDOW} batches are remembered; an older repeat is still told from a new batch, but without its offset.
 * vectors/idempotency.json is the law. Confined to the shard thread.
 */
public final class ProducerStates {
    /** Batches remembered per producer. */
    public static final int WINDOW = 64;

    private static final Admission NEW = new Admission(Verdict.NEW, -1, -1, 0);

    /** What a batch is. */
    public enum Verdict {
        NEW,
        /** Came before with the same content. */
        DUPLICATE,
        /** Its sequence was used for other content. */
        CONFLICT,
        /** A batch before it is missing. */
        GAP,
        /** A newer epoch of the producer exists. */
        FENCED
    }

    /**
     * @param baseOffset of a duplicate or a conflict, -1 when it is no longer known
     * @param expectedSequence the sequence a gap should have had
     * @param appendTimeMs when a duplicate was appended first, 0 when it is no longer known
     */
    public record Admission(Verdict verdict, long baseOffset, long expectedSequence, long appendTimeMs) {}

    /** The newest record a producer has in the partition. */
    public record Last(int epoch, long lastSequence, long lastOffset) {}

    private static final class Producer {
        int epoch = -1;
        long next;
        long lastUsedMs;
        int size;
        int head;
        final long[] sequences = new long[WINDOW];
        final int[] counts = new int[WINDOW];
        final int[] crcs = new int[WINDOW];
        final long[] offsets = new long[WINDOW];
        final long[] times = new long[WINDOW];

        void add(long sequence, int count, int crc, long offset, long timeMs) {
            int at = (head + size) % WINDOW;
            if (size == WINDOW) {
                head = (head + 1) % WINDOW;
            } else {
                size++;
            }
            sequences[at] = sequence;
            counts[at] = count;
            crcs[at] = crc;
            offsets[at] = offset;
            times[at] = timeMs;
        }

        int find(long sequence) {
            for (int i = size - 1; i >= 0; i--) {
                int at = (head + i) % WINDOW;
                if (sequences[at] == sequence) {
                    return at;
                }
            }
            return -1;
        }
    }

    private final Long2ObjectHashMap<Producer> producers = new Long2ObjectHashMap<>();

    /** What the batch is; changes nothing. */
    public Admission admit(long producerId, int epoch, long baseSequence, int count, int crc) {
        Producer producer = producers.get(producerId);
        if (producer == null || epoch > producer.epoch) {
            return baseSequence == 0 ? NEW : new Admission(Verdict.GAP, -1, 0, 0);
        }
        if (epoch < producer.epoch) {
            return new Admission(Verdict.FENCED, -1, -1, 0);
        }
        if (baseSequence == producer.next) {
            return NEW;
        }
        return baseSequence > producer.next
                ? new Admission(Verdict.GAP, -1, producer.next, 0)
                : admitOld(producer, baseSequence, count, crc);
    }

    private static Admission admitOld(Producer producer, long baseSequence, int count, int crc) {
        int at = producer.find(baseSequence);
        if (at >= 0) {
            boolean same = producer.counts[at] == count && producer.crcs[at] == crc;
            return new Admission(
                    same ? Verdict.DUPLICATE : Verdict.CONFLICT, producer.offsets[at], -1, producer.times[at]);
        }
        boolean inWindow = producer.size > 0 && baseSequence >= producer.sequences[producer.head];
        return new Admission(inWindow ? Verdict.CONFLICT : Verdict.DUPLICATE, -1, -1, 0);
    }

    /** Takes up an accepted batch. */
    public void apply(
            long producerId, int epoch, long baseSequence, int count, int crc, long baseOffset, long appendTimeMs) {
        Producer producer = producers.get(producerId);
        if (producer == null) {
            producer = new Producer();
            producers.put(producerId, producer);
        }
        if (epoch > producer.epoch) {
            producer.epoch = epoch;
            producer.size = 0;
            producer.head = 0;
        }
        producer.next = baseSequence + count;
        producer.lastUsedMs = appendTimeMs;
        producer.add(baseSequence, count, crc, baseOffset, appendTimeMs);
    }

    public @Nullable Last last(long producerId) {
        Producer producer = producers.get(producerId);
        if (producer == null || producer.next == 0) {
            return null;
        }
        int newest = (producer.head + producer.size - 1) % WINDOW;
        long offset = producer.offsets[newest];
        return new Last(producer.epoch, producer.next - 1, offset < 0 ? -1 : offset + producer.counts[newest] - 1);
    }

    /** Forgets producers that have not published since. */
    public void expire(long idleBeforeMs) {
        producers.values().removeIf(producer -> producer.lastUsedMs < idleBeforeMs);
    }

    public int size() {
        return producers.size();
    }

    public void snapshot(Consumer<ProducerState> out) {
        producers.forEach((id, producer) -> {
            ProducerState.Builder state = ProducerState.newBuilder()
                    .setProducerId(id)
                    .setEpoch(producer.epoch)
                    .setNextSequence(producer.next)
                    .setLastUsedMs(producer.lastUsedMs);
            for (int i = 0; i < producer.size; i++) {
                int at = (producer.head + i) % WINDOW;
                state.addWindow(AcceptedBatch.newBuilder()
                        .setBaseSequence(producer.sequences[at])
                        .setCount(producer.counts[at])
                        .setCrc(producer.crcs[at])
                        .setBaseOffset(producer.offsets[at])
                        .setAppendTimeMs(producer.times[at]));
            }
            out.accept(state.build());
        });
    }

    public void restore(ProducerState state) {
        Producer producer = new Producer();
        producer.epoch = state.getEpoch();
        for (AcceptedBatch batch : state.getWindowList()) {
            producer.add(
                    batch.getBaseSequence(),
                    batch.getCount(),
                    batch.getCrc(),
                    batch.getBaseOffset(),
                    batch.getAppendTimeMs());
        }
        producer.next = state.getNextSequence();
        producer.lastUsedMs = state.getLastUsedMs();
        producers.put(state.getProducerId(), producer);
    }
}
