package io.spillway.broker.shard;

import io.spillway.broker.base.Clock;
import io.spillway.broker.log.SnapshotStore;
import io.spillway.broker.log.SyncPoint;
import java.io.IOException;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The thread that forces a shard's log, so that the shard goes on appending meanwhile. {@code start}, {@code poll} and
 * {@code close} belong to the shard thread.
 */
final class SyncThread implements Syncer, AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(SyncThread.class);
    private static final long NONE = -1;

    private record Job(SyncPoint point, @Nullable SnapshotJob snapshot) {}

    private final SnapshotStore snapshots;
    private final Clock clock;
    private final Runnable wakeShard;
    private final DiskFaults faults;
    private final AtomicReference<@Nullable Job> next = new AtomicReference<>();
    private final AtomicReference<@Nullable Done> done = new AtomicReference<>();
    private final Thread thread;
    private volatile boolean closed;

    SyncThread(int shard, SnapshotStore snapshots, Clock clock, DiskFaults faults, Runnable wakeShard) {
        this.snapshots = snapshots;
        this.clock = clock;
        this.wakeShard = wakeShard;
        this.faults = faults;
        thread = new Thread(this::run, "spillway-sync-" + shard);
        thread.setDaemon(true);
        thread.start();
    }

    @Override
    public void start(SyncPoint point, @Nullable SnapshotJob snapshot) {
        next.set(new Job(point, snapshot));
        LockSupport.unpark(thread);
    }

    @Override
    public @Nullable Done poll() {
        return done.get() == null ? null : done.getAndSet(null);
    }

    private void run() {
        while (!closed) {
            Job job = next.getAndSet(null);
            if (job == null) {
                LockSupport.park(this);
            } else {
                done.set(perform(job));
                wakeShard.run();
            }
        }
    }

    private Done perform(Job job) {
        long startNs = clock.nanoTime();
        long written = NONE;
        Throwable failure = null;
        try {
            faults.beforeSync();
            job.point.force();
            written = job.snapshot == null ? NONE : write(job.snapshot);
        } catch (IOException | RuntimeException | InternalError e) {
            failure = e;
        }
        long endNs = clock.nanoTime();
        return new Done(job.point, written, failure, endNs - startNs, endNs);
    }

    /** A snapshot makes the next start faster and nothing else: without it, the log is as good as before. */
    private long write(SnapshotJob snapshot) {
        try {
            snapshots.write(snapshot.sequence(), snapshot.bytes());
            return snapshot.sequence();
        } catch (IOException e) {
            LOG.warn("event=snapshot_not_written sequence={} next=\"check the disk\"", snapshot.sequence(), e);
            return NONE;
        }
    }

    /** Ends the thread; no job may be running. */
    @Override
    public void close() {
        closed = true;
        LockSupport.unpark(thread);
    }
}
