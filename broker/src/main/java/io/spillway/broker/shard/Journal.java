package io.spillway.broker.shard;

import io.netty.buffer.ByteBuf;
import io.spillway.broker.base.Clock;
import io.spillway.broker.base.SpillwayException;
import io.spillway.broker.records.StateRecord;
import io.spillway.broker.records.StateRecords;
import io.spillway.protocol.v1.Durability;
import java.util.ArrayDeque;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The one way state changes: an entry goes to the ledger and is then applied. And the one place that knows what is
 * durable: whoever waits is called back in order when everything up to its entry is. Confined to the shard thread.
 */
final class Journal {
    /** Waits for an entry to be durable. */
    interface Waiter {
        /** @param durableNs when it became so, by the monotonic clock */
        void durable(long durableNs);

        void failed(SpillwayException why);

        /** Whether it is a publish that waits. */
        default boolean isPublish() {
            return false;
        }
    }

    private record Waiting(long sequence, Waiter waiter) {}

    private final ShardState state;
    private final Ledger ledger;
    private final Clock clock;
    private final ArrayDeque<Waiting> waiting = new ArrayDeque<>();
    private int waitingPublishes;
    private long appendedBytes;

    Journal(ShardState state, Ledger ledger, Clock clock) {
        this.state = state;
        this.ledger = ledger;
        this.clock = clock;
    }

    /** Appends and applies records. Returns the entry's sequence. */
    long commit(List<StateRecord> records) {
        StateRecords entry = entry(records);
        byte[] bytes = entry.toByteArray();
        long sequence = ledger.append(bytes, 0, null);
        appendedBytes += bytes.length;
        state.apply(entry);
        return sequence;
    }

    /** Appends and applies one stamped batch, with the records that belong to it. */
    long commit(List<StateRecord> records, Partition partition, ByteBuf batch, boolean keyed) {
        StateRecords entry = records.isEmpty() ? null : entry(records);
        long sequence = ledger.append(entry == null ? null : entry.toByteArray(), partition.id, batch);
        appendedBytes += batch.readableBytes();
        state.applyBatch(partition, batch, keyed);
        if (entry != null) {
            state.apply(entry);
        }
        return sequence;
    }

    /** Appends and applies one stamped batch without keys, on a full disk from the reserve. */
    long commitFromReserve(Partition partition, ByteBuf batch) {
        long sequence = ledger.appendFromReserve(partition.id, batch);
        appendedBytes += batch.readableBytes();
        state.applyBatch(partition, batch, false);
        return sequence;
    }

    /** Appends and applies one stamped batch whose idempotency keys are read already. */
    long commit(Partition partition, ByteBuf batch, BatchKeys keys) {
        long sequence = ledger.append(null, partition.id, batch);
        appendedBytes += batch.readableBytes();
        state.applyBatch(partition, batch, keys);
        return sequence;
    }

    private StateRecords entry(List<StateRecord> records) {
        return StateRecords.newBuilder()
                .setTimeMs(clock.nowMs())
                .addAllRecords(records)
                .build();
    }

    /** Calls back once everything appended so far, up to and with this entry, is durable; at once when it is. */
    void whenDurable(long sequence, Waiter waiter) {
        SpillwayException failure = ledger.failure();
        if (sequence < ledger.durableSequence()) {
            waiter.durable(clock.nanoTime());
        } else if (failure != null) {
            waiter.failed(failure);
        } else {
            waiting.add(new Waiting(sequence, waiter));
            waitingPublishes += waiter.isPublish() ? 1 : 0;
        }
    }

    /** The newest entry, for whoever waits for all that is there. */
    long lastSequence() {
        return ledger.lastSequence();
    }

    /** What an entry that is durable has reached. */
    Durability reached() {
        return ledger.reached();
    }

    /** Whether an answer may come, at its publisher's wish, before what it speaks of is durable. */
    boolean answersEarly() {
        return ledger.answersEarly();
    }

    /** Whether records of a topic are shown, and answered for, only when they are durable. */
    boolean holdsBack(TopicState topic) {
        return topic.spec.config().synced() || !ledger.answersEarly();
    }

    /** A batch that is taken but not in the log yet, copied to a buffer; false when it is in the log. */
    boolean copyPending(int partitionId, long offset, ByteBuf to) {
        return ledger.copyPending(partitionId, offset, to);
    }

    /** Bytes of entries since the start, for the pace of snapshots. */
    long appendedBytes() {
        return appendedBytes;
    }

    /** Counts entries that came from elsewhere. */
    void appended(long bytes) {
        appendedBytes += bytes;
    }

    /** Whether somebody waits for an entry to be durable. */
    boolean isAwaited() {
        return !waiting.isEmpty();
    }

    private Ledger.Awaited awaited() {
        if (waitingPublishes > 0) {
            return Ledger.Awaited.BY_PUBLISHES;
        }
        return waiting.isEmpty() ? Ledger.Awaited.BY_NOBODY : Ledger.Awaited.BY_COMMANDS;
    }

    int doWork(long nowMs) {
        int work = ledger.doWork(nowMs, awaited());
        if (work > 0) {
            answer();
        }
        return work;
    }

    /** Calls back whoever waited for what is durable now, and, when nothing will be any more, the others too. */
    void answer() {
        Waiting first;
        long durable = ledger.durableSequence();
        while ((first = waiting.peek()) != null && first.sequence < durable) {
            take();
            first.waiter.durable(ledger.durableNs());
        }
        SpillwayException failure = ledger.failure();
        if (failure != null) {
            fail(failure);
        }
    }

    /** Tells everybody who waits that there is no use. */
    void fail(SpillwayException why) {
        Waiting first;
        while ((first = take()) != null) {
            first.waiter.failed(why);
        }
    }

    private @Nullable Waiting take() {
        Waiting first = waiting.poll();
        waitingPublishes -= first != null && first.waiter.isPublish() ? 1 : 0;
        return first;
    }
}
