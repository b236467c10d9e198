package io.spillway.broker.shard;

import io.spillway.broker.log.SyncPoint;
import org.jspecify.annotations.Nullable;

/** Forces a shard's log: one job at a time, whose end is told through {@link #poll}. */
interface Syncer {
    /** A snapshot to write once the log before it is durable. */
    record SnapshotJob(long sequence, byte[] bytes) {}

    /** @param snapshotSequence the snapshot that was written, or -1 */
    record Done(
            SyncPoint point,
            long snapshotSequence,
            @Nullable Throwable failure,
            long tookNs,
            long endedNs) {}

    void start(SyncPoint point, @Nullable SnapshotJob snapshot);

    /** The job that has ended, once. */
    @Nullable
    Done poll();
}
