package io.spillway.broker.log;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What the next sync point has to do besides forcing the active segment: segments to seal and, at most every
 * {@value #CHECKPOINT_EVERY_MS} ms since it costs forces of its own, a new manifest with the deletions it allows.
 * Confined to the shard thread.
 */
final class SyncWork {
    private static final Logger LOG = LoggerFactory.getLogger(SyncWork.class);
    private static final long CHECKPOINT_EVERY_MS = 1000;

    private final LogFiles files;
    private final SyncMark mark;
    private List<SealTask> rolled = new ArrayList<>();
    private List<Path> footers = new ArrayList<>();
    private List<Path> deletions = new ArrayList<>();
    private boolean newFile;
    private boolean manifestChanged;
    private long checkpointMs;
    private int outstanding;
    private boolean complained;

    SyncWork(LogFiles files, SyncMark mark) {
        this.files = files;
        this.mark = mark;
    }

    /** Takes the first manifest of this life; when it cannot be written, the next checkpoint does it. */
    void begin(Manifest manifest, long sequence) {
        manifestChanged = true;
        try {
            mark.write(sequence);
            manifest.write(files.manifest());
        } catch (IOException e) {
            complain(e);
        }
    }

    /** A segment was begun, and this one, if any, is no longer written. */
    void rolled(@Nullable Segment previous) {
        if (previous != null) {
            rolled.add(new SealTask(previous, files));
        }
        newFile = true;
        manifestChanged = true;
    }

    /** A segment was given up; its files go when the manifest no longer lists it. */
    void freed(Segment segment) {
        deletions.add(segment.file());
        deletions.add(files.footer(segment.number));
        manifestChanged = true;
    }

    /** Whether there is something to do though nothing was appended. */
    boolean pending() {
        return manifestChanged || !rolled.isEmpty();
    }

    /** Whether a sync point was taken that has not come back. */
    boolean outstanding() {
        return outstanding > 0;
    }

    /** A sync point that makes a checkpoint if one is due. */
    SyncPoint take(long sequence, @Nullable FileChannel current, Supplier<Manifest> manifest, long nowMs) {
        boolean due = manifestChanged && (nowMs - checkpointMs >= CHECKPOINT_EVERY_MS || nowMs < checkpointMs);
        if (!due) {
            return take(sequence, current, (SyncPoint.Checkpoint) null);
        }
        checkpointMs = nowMs;
        return takeLast(sequence, current, manifest.get());
    }

    /** A sync point with this manifest. */
    SyncPoint takeLast(long sequence, @Nullable FileChannel current, Manifest manifest) {
        SyncPoint.Checkpoint checkpoint = new SyncPoint.Checkpoint(manifest, footers, deletions);
        footers = new ArrayList<>();
        deletions = new ArrayList<>();
        manifestChanged = false;
        return take(sequence, current, checkpoint);
    }

    private SyncPoint take(long sequence, @Nullable FileChannel current, SyncPoint.@Nullable Checkpoint checkpoint) {
        SyncPoint.Segments segments = new SyncPoint.Segments(rolled, current, newFile);
        rolled = new ArrayList<>();
        newFile = false;
        outstanding++;
        return new SyncPoint(sequence, segments, mark, files, checkpoint);
    }

    void finished(SyncPoint point, ExtentTables tables) {
        outstanding--;
        IOException failure = point.upkeepFailure();
        SyncPoint.Checkpoint checkpoint = point.checkpoint();
        if (failure != null && checkpoint != null) {
            deletions.addAll(checkpoint.deletions());
            footers.addAll(checkpoint.footers());
            manifestChanged = true;
        }
        for (SealTask seal : point.seals()) {
            Path footer = seal.footer();
            IOException sealFailure = seal.finish(tables);
            if (footer != null) {
                footers.add(footer);
            } else {
                rolled.add(seal);
                failure = sealFailure;
            }
        }
        if (failure != null && !complained) {
            complain(failure);
        }
        complained = failure != null;
    }

    private void complain(IOException failure) {
        LOG.warn(
                "what=\"closing or freeing segments failed\" directory={} why=\"{}\""
                        + " next=\"it is tried again; free disk space if that is the reason\"",
                files.root(),
                failure.toString());
    }
}
