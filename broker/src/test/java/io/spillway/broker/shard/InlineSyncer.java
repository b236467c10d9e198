package io.spillway.broker.shard;

import io.spillway.broker.base.Clock;
import io.spillway.broker.log.SnapshotStore;
import io.spillway.broker.log.SyncPoint;
import java.io.IOException;
import java.io.UncheckedIOException;
import org.jspecify.annotations.Nullable;

/** Forces the log when it is asked how far it is, unless it is held back. */
final class InlineSyncer implements Syncer {
    private final SnapshotStore snapshots;
    private final Clock clock;
    private @Nullable SyncPoint point;
    private @Nullable SnapshotJob snapshot;
    boolean held;
    /** What each sync says it took. */
    long tookNs;
    /** Runs after each force, when nothing unforced lies in the files. */
    Runnable afterForce = () -> {};

    InlineSyncer(SnapshotStore snapshots, Clock clock) {
        this.snapshots = snapshots;
        this.clock = clock;
    }

    @Override
    public void start(SyncPoint from, @Nullable SnapshotJob with) {
        point = from;
        snapshot = with;
    }

    @Override
    public @Nullable Done poll() {
        SyncPoint job = point;
        if (job == null || held) {
            return null;
        }
        point = null;
        long written = -1;
        try {
            job.force();
            if (snapshot != null) {
                snapshots.write(snapshot.sequence(), snapshot.bytes());
                written = snapshot.sequence();
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        afterForce.run();
        return new Done(job, written, null, tookNs, clock.nanoTime());
    }
}
