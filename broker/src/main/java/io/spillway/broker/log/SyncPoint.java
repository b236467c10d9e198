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
    private final List<SealTask> seals;
    private final @Nullable FileChannel current;
    private final SyncMark mark;
    private final LogFiles files;
    private final boolean newFile;
    private final @Nullable Manifest manifest;
    private final List<Path> deletions;
    private @Nullable IOException upkeepFailure;

    SyncPoint(
            long sequence,
            Segments segments,
            SyncMark mark,
            LogFiles files,
            @Nullable Manifest manifest,
            List<Path> deletions) {
        this.sequence = sequence;
        this.seals = List.copyOf(segments.rolled);
        this.current = segments.current;
        this.newFile = segments.newFile;
        this.mark = mark;
        this.files = files;
        this.manifest = manifest;
        this.deletions = List.copyOf(deletions);
    }

    /** The segments that have bytes which were not forced. */
    record Segments(List<SealTask> rolled, @Nullable FileChannel current, boolean newFile) {}

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
        for (SealTask seal : seals) {
            seal.segment.channel().force(false);
        }
        if (newFile) {
            LogFiles.forceDirectory(files.active());
        }
        if (current != null) {
            current.force(false);
        }
        tidy();
    }

    /** What does not decide whether the entries are durable; a failure here is reported and tried again. */
    private void tidy() {
        for (SealTask seal : seals) {
            seal.run();
        }
        try {
            mark.write(sequence);
            if (manifest != null) {
                manifest.write(files.manifest());
                for (Path file : deletions) {
                    Files.deleteIfExists(file);
                }
            }
        } catch (IOException e) {
            upkeepFailure = e;
        }
    }

    List<SealTask> seals() {
        return seals;
    }

    List<Path> deletions() {
        return deletions;
    }

    /** Why manifest and deletions did not work, if so; they are to be tried again. */
    @Nullable
    IOException upkeepFailure() {
        return upkeepFailure;
    }
}
