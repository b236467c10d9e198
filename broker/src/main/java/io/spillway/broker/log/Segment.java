package io.spillway.broker.log;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * One segment file and what is known of it. Confined to the shard thread, but for {@link #channel} and the extents of a
 * closed segment, which the sync thread uses while it seals it.
 */
final class Segment {
    final int number;
    final long baseSequence;

    private Path file;
    private long endSequence;
    private long usedBytes;
    private long firstAppendMs = Long.MAX_VALUE;
    private boolean sealed;
    private @Nullable FileChannel channel;
    private @Nullable SegmentReader reader;
    private List<Extent> extents = new ArrayList<>();

    private long liveBytes;
    private int liveExtents;

    /** Batches were copied from here; it may go when everything before this sequence is synced. */
    private long freeAfterSequence;

    /** A batch here cannot be read, so it cannot be moved. */
    private boolean pinned;

    Segment(int number, long baseSequence, Path file) {
        this.number = number;
        this.baseSequence = baseSequence;
        this.endSequence = baseSequence;
        this.file = file;
    }

    Path file() {
        return file;
    }

    long endSequence() {
        return endSequence;
    }

    /** Bytes up to the end of the last entry. */
    long usedBytes() {
        return usedBytes;
    }

    boolean empty() {
        return endSequence == baseSequence;
    }

    long firstAppendMs() {
        return firstAppendMs;
    }

    void appended(long sequence, long endPosition, long nowMs) {
        endSequence = sequence + 1;
        usedBytes = endPosition;
        firstAppendMs = Math.min(firstAppendMs, nowMs);
    }

    void found(long foundEndSequence, long foundUsedBytes) {
        endSequence = foundEndSequence;
        usedBytes = foundUsedBytes;
    }

    boolean sealed() {
        return sealed;
    }

    /** It is in its final place, cut to its size; readers open it there. */
    void sealed(Path place) {
        file = place;
        sealed = true;
        extents = new ArrayList<>();
        closeFiles();
    }

    /** All extents found or made here, while it is not sealed. */
    List<Extent> extents() {
        return extents;
    }

    void channel(FileChannel writeChannel) {
        channel = writeChannel;
    }

    FileChannel channel() {
        if (channel == null) {
            throw new IllegalStateException("segment " + number + " is not open for writing");
        }
        return channel;
    }

    void reader(SegmentReader opened) {
        reader = opened;
    }

    @Nullable
    SegmentReader reader() {
        return reader;
    }

    void closeReader() {
        if (reader != null) {
            reader.close();
            reader = null;
        }
    }

    void closeFiles() {
        closeReader();
        if (channel != null) {
            try {
                channel.close();
            } catch (IOException e) {
                throw new java.io.UncheckedIOException(e);
            }
            channel = null;
        }
    }

    void live(long bytes, int extentCount) {
        liveBytes += bytes;
        liveExtents += extentCount;
    }

    long liveBytes() {
        return liveBytes;
    }

    int liveExtents() {
        return liveExtents;
    }

    void freeAfter(long sequence) {
        freeAfterSequence = Math.max(freeAfterSequence, sequence);
    }

    long freeAfterSequence() {
        return freeAfterSequence;
    }

    void pin() {
        pinned = true;
    }

    boolean pinned() {
        return pinned;
    }
}
