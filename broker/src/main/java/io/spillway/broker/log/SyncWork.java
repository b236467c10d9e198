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
 * What the next sync point has to do besides forcing the active segment: segments to seal, files to delete, the
 * manifest. Confined to the shard thread.
 */
final class SyncWork {
    private static final Logger LOG = LoggerFactory.getLogger(SyncWork.class);

    private final LogFiles files;
    private final SyncMark mark;
    private List<SealTask> rolled = new ArrayList<>();
    private List<Path> deletions = new ArrayList<>();
    private boolean newFile;
    private boolean manifestChanged;
    private int outstanding;
    private boolean complained;

    SyncWork(LogFiles files, SyncMark mark) {
        this.files = files;
        this.mark = mark;
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

    SyncPoint take(long sequence, @Nullable FileChannel current, Supplier<Manifest> manifest) {
        SyncPoint point = new SyncPoint(
                sequence,
                new SyncPoint.Segments(rolled, current, newFile),
                mark,
                files,
                manifestChanged ? manifest.get() : null,
                deletions);
        rolled = new ArrayList<>();
        deletions = new ArrayList<>();
        newFile = false;
        manifestChanged = false;
        outstanding++;
        return point;
    }

    void finished(SyncPoint point, ExtentTables tables) {
        outstanding--;
        IOException failure = point.upkeepFailure();
        if (failure != null) {
            deletions.addAll(point.deletions());
            manifestChanged = true;
        }
        for (SealTask seal : point.seals()) {
            IOException sealFailure = seal.finish(tables);
            if (sealFailure != null) {
                rolled.add(seal);
                failure = sealFailure;
            }
        }
        if (failure != null && !complained) {
            LOG.warn(
                    "what=\"closing or freeing segments failed\" directory={} why=\"{}\""
                            + " next=\"it is tried again; free disk space if that is the reason\"",
                    files.root(),
                    failure.toString());
        }
        complained = failure != null;
    }
}
