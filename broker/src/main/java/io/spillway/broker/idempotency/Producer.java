package io.spillway.broker.idempotency;

import static io.spillway.broker.idempotency.ProducerStates.NO_OFFSET;
import static io.spillway.broker.idempotency.ProducerStates.WINDOW;

import io.spillway.broker.idempotency.ProducerStates.Admission;
import io.spillway.broker.idempotency.ProducerStates.Verdict;
import io.spillway.broker.records.AcceptedBatch;
import io.spillway.broker.records.ProducerState;
import java.util.Arrays;

/**
 * One producer in one partition: its epoch, the sequence it has to send next, and a ring of its last batches, which
 * starts small because most producers of most partitions send little.
 *
 * <p>Confined to the shard thread.
 */
final class Producer {
    private static final int FIRST_CAPACITY = 4;

    final int epoch;
    long nextSequence;
    long lastUsedMs;

    private int capacity = FIRST_CAPACITY;
    private int size;
    /** Index after the newest batch; capacities are powers of two. */
    private int tail;

    private long[] baseSequences = new long[FIRST_CAPACITY];
    private int[] counts = new int[FIRST_CAPACITY];
    private int[] crcs = new int[FIRST_CAPACITY];
    private long[] baseOffsets = new long[FIRST_CAPACITY];
    private long[] appendTimesMs = new long[FIRST_CAPACITY];

    Producer(int epoch) {
        this.epoch = epoch;
    }

    static Producer of(ProducerState state) {
        var producer = new Producer(state.getEpoch());
        for (var batch : state.getWindowList()) {
            producer.add(
                    batch.getBaseSequence(),
                    batch.getCount(),
                    batch.getCrc(),
                    batch.getBaseOffset(),
                    batch.getAppendTimeMs());
        }
        producer.nextSequence = state.getNextSequence();
        producer.lastUsedMs = state.getLastUsedMs();
        return producer;
    }

    void add(long baseSequence, int count, int crc, long baseOffset, long appendTimeMs) {
        if (size == capacity && capacity < WINDOW) {
            grow();
        }
        baseSequences[tail] = baseSequence;
        counts[tail] = count;
        crcs[tail] = crc;
        baseOffsets[tail] = baseOffset;
        appendTimesMs[tail] = appendTimeMs;
        tail = (tail + 1) & (capacity - 1);
        size = Math.min(size + 1, capacity);
        nextSequence = baseSequence + count;
        lastUsedMs = appendTimeMs;
    }

    /** Judges a batch of the present epoch that is not the next one. */
    Admission judge(long baseSequence, int count, int crc) {
        if (baseSequence > nextSequence || baseSequence < 0) {
            return new Admission(Verdict.GAP, NO_OFFSET, nextSequence, 0);
        }
        if (baseSequence + count <= oldestSequence()) {
            return new Admission(Verdict.DUPLICATE, NO_OFFSET, nextSequence, 0);
        }
        for (int age = 1; age <= size; age++) {
            int at = (tail - age) & (capacity - 1);
            if (baseSequences[at] == baseSequence) {
                boolean same = counts[at] == count && crcs[at] == crc;
                var verdict = same ? Verdict.DUPLICATE : Verdict.CONFLICT;
                return new Admission(verdict, baseOffsets[at], nextSequence, appendTimesMs[at]);
            }
        }
        return new Admission(Verdict.CONFLICT, NO_OFFSET, nextSequence, 0);
    }

    long lastOffset() {
        int at = (tail - 1) & (capacity - 1);
        return size == 0 || baseOffsets[at] == NO_OFFSET ? NO_OFFSET : baseOffsets[at] + counts[at] - 1;
    }

    /** Whether one of the remembered batches was stored at an offset of [from, to). */
    boolean storedIn(long from, long to) {
        for (int age = 1; age <= size; age++) {
            int at = (tail - age) & (capacity - 1);
            if (baseOffsets[at] >= from && baseOffsets[at] < to) {
                return true;
            }
        }
        return false;
    }

    /** As it was before its first batch that was stored at an offset from {@code below} on; one at least was before. */
    ProducerState toRecord(long producerId, long below) {
        ProducerState all = toRecord(producerId);
        for (int i = 0; i < all.getWindowCount(); i++) {
            if (all.getWindow(i).getBaseOffset() >= below) {
                AcceptedBatch last = all.getWindow(Math.max(0, i - 1));
                return all.toBuilder()
                        .clearWindow()
                        .addAllWindow(all.getWindowList().subList(0, i))
                        .setNextSequence(last.getBaseSequence() + (i == 0 ? 0 : last.getCount()))
                        .setLastUsedMs(last.getAppendTimeMs())
                        .build();
            }
        }
        return all;
    }

    ProducerState toRecord(long producerId) {
        var state = ProducerState.newBuilder()
                .setProducerId(producerId)
                .setEpoch(epoch)
                .setNextSequence(nextSequence)
                .setLastUsedMs(lastUsedMs);
        for (int age = size; age > 0; age--) {
            int at = (tail - age) & (capacity - 1);
            state.addWindow(AcceptedBatch.newBuilder()
                    .setBaseSequence(baseSequences[at])
                    .setCount(counts[at])
                    .setCrc(crcs[at])
                    .setBaseOffset(baseOffsets[at])
                    .setAppendTimeMs(appendTimesMs[at]));
        }
        return state.build();
    }

    private long oldestSequence() {
        return size == 0 ? nextSequence : baseSequences[(tail - size) & (capacity - 1)];
    }

    /** Doubles a full ring, whose oldest batch is at index 0 because it never wrapped before it was full at WINDOW. */
    private void grow() {
        tail = capacity;
        capacity *= 2;
        baseSequences = Arrays.copyOf(baseSequences, capacity);
        counts = Arrays.copyOf(counts, capacity);
        crcs = Arrays.copyOf(crcs, capacity);
        baseOffsets = Arrays.copyOf(baseOffsets, capacity);
        appendTimesMs = Arrays.copyOf(appendTimesMs, capacity);
    }
}
