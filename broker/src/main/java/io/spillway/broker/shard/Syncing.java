package io.spillway.broker.shard;

import io.spillway.broker.base.SpillwayException;
import io.spillway.protocol.Code;
import java.util.concurrent.locks.LockSupport;
import java.util.function.LongConsumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** Forces a shard's log, one sync at a time, with snapshots behind it. Confined to the shard thread. */
final class Syncing {
    /** What a disk that is well takes at most: 100 MB/s. */
    private static final long NS_PER_BYTE = 10;

    private final ShardState state;
    private final Syncer syncer;
    private final ShardCounters counters;
    private final LongConsumer snapshotWritten;
    private final long flushIntervalMs;
    private final SyncTimes times = new SyncTimes();
    private final SyncTimes delays = new SyncTimes();
    private long syncedSequence;
    private long endedNs;
    private long lastStartMs;
    private long lastBytes;
    /** What the running sync may take without being slow. */
    private long allowedNs;

    private boolean tellsDelay;

    private boolean running;
    private @Nullable SpillwayException failure;

    /** @param snapshotWritten told the sequence of each snapshot that is on disk */
    Syncing(ShardState state, Syncer syncer, ShardCounters counters, LongConsumer snapshotWritten) {
        this.state = state;
        this.syncer = syncer;
        this.counters = counters;
        this.snapshotWritten = snapshotWritten;
        flushIntervalMs = state.config.flushIntervalMs();
        syncedSequence = state.log.nextSequence();
    }

    /** Entries of the log before this one are on disk. */
    long syncedSequence() {
        return syncedSequence;
    }

    /** When the last sync ended, by the monotonic clock. */
    long endedNs() {
        return endedNs;
    }

    boolean isRunning() {
        return running;
    }

    /**
     * What one sync in a hundred takes at least, of the newest that publishes wait for, beyond the time of its bytes, in ms. With
     * that a broker that is merely busy would count as one with a slow disk.
     */
    int p99DelayMs(long nowMs) {
        return delays.p99Ms(nowMs);
    }

    /** What half of the newest syncs take at most, in ms. */
    int p50Ms(long nowMs) {
        return times.p50Ms(nowMs);
    }

    /** Why nothing is synced any more; null while all is well. */
    @Nullable
    SpillwayException failure() {
        return failure;
    }

    /** Takes up a sync that has ended; how many had. */
    int poll() {
        Syncer.Done done = syncer.poll();
        if (done == null) {
            return 0;
        }
        running = false;
        counters.syncs.increment();
        counters.syncNanos.add(done.tookNs());
        counters.syncTook.add(done.tookNs());
        times.add(done.tookNs(), lastStartMs);
        if (tellsDelay) {
            delays.add(Math.max(0, done.tookNs() - allowedNs), lastStartMs);
        }
        if (done.failure() != null) {
            state.log.fail(done.failure());
            failure = failed(String.valueOf(done.failure().getMessage()));
            return 1;
        }
        state.log.markSynced(done.point());
        syncedSequence = Math.max(syncedSequence, done.point().sequence());
        endedNs = done.endedNs();
        if (done.snapshotSequence() >= 0) {
            counters.snapshots.increment();
            snapshotWritten.accept(done.snapshotSequence());
        }
        return 1;
    }

    /**
     * Starts a sync when somebody waits for one, or data lies unsynced for too long.
     *
     * @param tells whether publishes have to wait for disks that are as slow as this sync
     * @return how many were started
     */
    int startIfDue(long nowMs, boolean awaited, boolean tells) {
        boolean due = flushIntervalMs > 0 && nowMs - lastStartMs >= flushIntervalMs && state.log.syncDue();
        if (running || failure != null || !(awaited || due)) {
            return 0;
        }
        start(nowMs, null);
        tellsDelay = tells;
        return 1;
    }

    /** Starts a sync; with a snapshot, that is written after it. Not while one runs. */
    void start(long nowMs, Syncer.@Nullable SnapshotJob snapshot) {
        lastStartMs = nowMs;
        running = true;
        tellsDelay = false;
        allowedNs = (state.log.appendedBytes() - lastBytes) * NS_PER_BYTE;
        lastBytes = state.log.appendedBytes();
        syncer.start(state.log.syncPoint(), snapshot);
    }

    /** Waits for a running sync, then syncs and snapshots everything; for the end of the shard. */
    void finish(long nowMs, Supplier<Syncer.@Nullable SnapshotJob> snapshot) {
        await();
        if (failure == null) {
            start(nowMs, snapshot.get());
            await();
        }
    }

    private void await() {
        while (running) {
            if (poll() == 0) {
                LockSupport.parkNanos(this, 100_000);
            }
        }
    }

    private SpillwayException failed(String why) {
        return new SpillwayException(
                Code.STORAGE_ERROR,
                "shard " + state.shard + " could not sync its log",
                why,
                "check the disk, then restart the broker; it verifies the log as it opens");
    }
}
