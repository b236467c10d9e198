package io.spillway.broker.shard;

import io.netty.buffer.ByteBuf;
import io.spillway.broker.base.Clock;
import io.spillway.broker.base.SpillwayException;
import io.spillway.broker.log.SyncPoint;
import io.spillway.broker.records.StateRecord;
import io.spillway.broker.records.StateRecords;
import io.spillway.protocol.Code;
import java.util.ArrayDeque;
import java.util.List;
import java.util.concurrent.locks.LockSupport;
import java.util.function.LongConsumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * The one way state changes: an entry is appended and then applied. And the one place that knows what is durable: whoever
 * waits for a sync is called back in order when the log up to its entry is forced. Confined to the shard thread.
 */
final class Journal {
    /** Waits for an entry to be synced. */
    interface Waiter {
        /** @param syncedNs when the sync ended, by the monotonic clock */
        void durable(long syncedNs);

        void failed(SpillwayException why);
    }

    private record Waiting(long sequence, Waiter waiter) {}

    private final ShardState state;
    private final Syncer syncer;
    private final Clock clock;
    private final ShardCounters counters;
    private final LongConsumer snapshotWritten;
    private final long flushIntervalMs;
    private final ArrayDeque<Waiting> waiting = new ArrayDeque<>();
    private long appendedBytes;
    private long syncedSequence;
    private long lastFlushMs;
    private boolean syncing;
    private boolean hasFailed;

    /** @param snapshotWritten told the sequence of each snapshot that is on disk */
    Journal(ShardState state, Syncer syncer, Clock clock, ShardCounters counters, LongConsumer snapshotWritten) {
        this.state = state;
        this.syncer = syncer;
        this.clock = clock;
        this.counters = counters;
        this.snapshotWritten = snapshotWritten;
        flushIntervalMs = state.config.flushIntervalMs();
        syncedSequence = state.log.nextSequence();
    }

    /** Appends and applies records. Returns the entry's sequence. */
    long commit(List<StateRecord> records) {
        StateRecords entry = entry(records);
        byte[] bytes = entry.toByteArray();
        long sequence = state.log.append(bytes, 0, null);
        appendedBytes += bytes.length;
        state.apply(entry);
        return sequence;
    }

    /** Appends and applies one stamped batch, with the records that belong to it. */
    long commit(List<StateRecord> records, Partition partition, ByteBuf batch, boolean keyed) {
        StateRecords entry = records.isEmpty() ? null : entry(records);
        long sequence = state.log.append(entry == null ? null : entry.toByteArray(), partition.id, batch);
        appendedBytes += batch.readableBytes();
        state.applyBatch(partition, batch, keyed);
        if (entry != null) {
            state.apply(entry);
        }
        return sequence;
    }

    /** Appends and applies one stamped batch without keys, on a full disk from the reserve. */
    long commitFromReserve(Partition partition, ByteBuf batch) {
        long sequence = state.log.append(null, partition.id, batch, true);
        appendedBytes += batch.readableBytes();
        state.applyBatch(partition, batch, false);
        return sequence;
    }

    /** Appends and applies one stamped batch whose idempotency keys are read already. */
    long commit(Partition partition, ByteBuf batch, BatchKeys keys) {
        long sequence = state.log.append(null, partition.id, batch);
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

    /** Calls back once everything appended so far, up to and with this entry, is synced; at once when it is. */
    void whenSynced(long sequence, Waiter waiter) {
        if (sequence < syncedSequence) {
            waiter.durable(clock.nanoTime());
        } else if (hasFailed) {
            waiter.failed(syncFailed("an earlier sync failed"));
        } else {
            waiting.add(new Waiting(sequence, waiter));
        }
    }

    /** The newest entry, for whoever waits for all that is there. */
    long lastSequence() {
        return state.log.nextSequence() - 1;
    }

    /** Bytes of entries since the start, for the pace of snapshots. */
    long appendedBytes() {
        return appendedBytes;
    }

    /** Whether somebody waits for a sync. */
    boolean isAwaited() {
        return !waiting.isEmpty();
    }

    boolean isSyncing() {
        return syncing;
    }

    /** Takes up an ended sync and starts the next one when somebody waits or data lies unsynced for too long. */
    int doWork(long nowMs) {
        int work = 0;
        Syncer.Done done = syncer.poll();
        if (done != null) {
            finish(done);
            work++;
        }
        if (!syncing && needsSync(nowMs)) {
            start(nowMs, null);
            work++;
        }
        return work;
    }

    private boolean needsSync(long nowMs) {
        return !hasFailed
                && (!waiting.isEmpty()
                        || (flushIntervalMs > 0 && nowMs - lastFlushMs >= flushIntervalMs && state.log.syncDue()));
    }

    /** Starts a sync; with a snapshot, that is written after it. Not while one runs. */
    void start(long nowMs, Syncer.@Nullable SnapshotJob snapshot) {
        lastFlushMs = nowMs;
        syncing = true;
        syncer.start(state.log.syncPoint(), snapshot);
    }

    private void finish(Syncer.Done done) {
        syncing = false;
        counters.syncs.increment();
        counters.syncNanos.add(done.tookNs());
        SyncPoint point = done.point();
        if (done.failure() != null) {
            hasFailed = true;
            state.log.fail(done.failure());
            failAll(done.failure());
            return;
        }
        state.log.markSynced(point);
        syncedSequence = Math.max(syncedSequence, point.sequence());
        if (done.snapshotSequence() >= 0) {
            counters.snapshots.increment();
            snapshotWritten.accept(done.snapshotSequence());
        }
        Waiting first;
        while ((first = waiting.peek()) != null && first.sequence < syncedSequence) {
            waiting.poll();
            first.waiter.durable(done.endedNs());
        }
    }

    /** Waits for a running sync, then syncs and snapshots everything; for the end of the shard. */
    void finishAll(long nowMs, Supplier<Syncer.SnapshotJob> snapshot) {
        awaitSync();
        if (!hasFailed) {
            start(nowMs, snapshot.get());
            awaitSync();
        }
    }

    private void awaitSync() {
        while (syncing) {
            Syncer.Done done = syncer.poll();
            if (done != null) {
                finish(done);
            } else {
                LockSupport.parkNanos(this, 100_000);
            }
        }
    }

    private void failAll(Throwable cause) {
        SpillwayException why = syncFailed(String.valueOf(cause.getMessage()));
        Waiting first;
        while ((first = waiting.poll()) != null) {
            first.waiter.failed(why);
        }
    }

    private SpillwayException syncFailed(String why) {
        return new SpillwayException(
                Code.STORAGE_ERROR,
                "shard " + state.shard + " could not sync its log",
                why,
                "check the disk, then restart the broker; it verifies the log as it opens");
    }
}
