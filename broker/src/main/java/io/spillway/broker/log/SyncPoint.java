package io.spillway.broker.log;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A place in the log up to which everything is to be made durable. Taken on the shard thread, forced on the sync thread,
 * handed back to the shard thread. Every sync point that was taken must be forced, in order, by one thread that is never
 * interrupted; after a failure none is forced any more.
 */
public final class SyncPoint {
    private final long sequence;
    private final Segments segments;
    private final SyncMark mark;
    private final LogFiles files;
    private final @Nullable Checkpoint checkpoint;
    private @Nullable IOException upkeepFailure;

    SyncPoint(long sequence, Segments segments, SyncMark mark, LogFiles files, @Nullable Checkpoint checkpoint) {
        this.sequence = sequence;
        this.segments = segments;
        this.mark = mark;
        this.files = files;
        this.checkpoint = checkpoint;
    }

    /** The segments that have bytes which were not forced. */
    record Segments(List<SealTask> rolled, @Nullable FileChannel current, boolean newFile) {}

    /** A new manifest, what must be durable before it, and what may be deleted after it. */
    record Checkpoint(Manifest manifest, List<Path> footers, List<Path> deletions) {}

    /** All entries before this sequence are durable after {@link #force}. */
    public long sequence() {
        return sequence;
    }

    /**
     * Forces all entries before {@link #sequence} to the disk, then puts closed segments in order. Throws when a force
     * failed: what is on the disk is then unknown, the same pages must not be forced again, and the shard calls
     * {@link ShardLog#fail}.
     */
    public void force() throws IOException {
        for (SealTask seal : segments.rolled) {
            seal.segment.channel().force(false);
        }
        if (segments.newFile) {
            LogFiles.forceDirectory(files.active());
        }
        if (segments.current != null) {
            segments.current.force(false);
        }
        tidy();
    }

    /** What does not decide whether the entries are durable; a failure here is reported and tried again. */
    private void tidy() {
        for (SealTask seal : segments.rolled) {
            seal.run();
        }
        try {
            mark.write(sequence);
            if (checkpoint != null) {
                write(checkpoint);
            }
        } catch (IOException e) {
            upkeepFailure = e;
        }
    }

    private void write(Checkpoint of) throws IOException {
        for (Path footer : of.footers) {
            LogFiles.force(footer);
        }
        for (SealTask seal : segments.rolled) {
            Path footer = seal.footer();
            if (footer != null) {
                LogFiles.force(footer);
            }
        }
        LogFiles.forceDirectory(files.segments());
        of.manifest.write(files.manifest());
        for (Path file : of.deletions) {
            Files.deleteIfExists(file);
        }
    }

    List<SealTask> seals() {
        return segments.rolled;
    }

    @Nullable
    Checkpoint checkpoint() {
        return checkpoint;
    }

    /** Why mark, manifest or deletions did not work, if so; they are to be tried again. */
    @Nullable
    IOException upkeepFailure() {
        return upkeepFailure;
    }
}
