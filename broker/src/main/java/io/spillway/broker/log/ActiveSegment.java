package io.spillway.broker.log;

import io.netty.buffer.ByteBuf;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import org.jspecify.annotations.Nullable;

/**
 * The segment that is written, and the prepared one after it. Rolls by size; a new segment has all its disk space
 * before the first store into it. Confined to the shard thread.
 */
final class ActiveSegment implements AutoCloseable {
    private static final int MAX_ENTRY_PART = 4;
    private static final int LEAST_MAX_ENTRY_BYTES = (2 << 20) - 1024;
    /** When more than this was appended since a sync was asked for, syncs are so rare that making pages for them costs more than it saves. */
    private static final long OFTEN_SYNCED_BYTES = 8 << 20;

    private final LogIndex index;
    private final LogConfig config;
    private final DiskGuard guard;
    private final SyncWork work;
    private final Path directory;
    private final int maxEntryBytes;
    private final BatchRow row = new BatchRow();

    private @Nullable SegmentAppender appender;
    private @Nullable Segment segment;
    private @Nullable SegmentIndexer indexer;
    private @Nullable SegmentPages pages;
    private @Nullable Path prepared;
    private int nextNumber;
    private long appendedBytes;
    private long appendedBeforeSync;
    private long nextSequence;

    ActiveSegment(LogIndex index, LogConfig config, DiskGuard guard, SyncWork work) {
        this.index = index;
        this.config = config;
        this.guard = guard;
        this.work = work;
        this.directory = index.files().active();
        this.maxEntryBytes = Math.min(
                config.segmentBytes() - SegmentAppender.RESERVED_BYTES,
                Math.max(LEAST_MAX_ENTRY_BYTES, config.segmentBytes() / MAX_ENTRY_PART - 1024));
    }

    /** Begins writing; without disk space the first entry that finds some does. */
    void open(int number, long sequence) throws IOException {
        nextNumber = number;
        nextSequence = sequence;
        if (prepare()) {
            roll();
        }
    }

    long nextSequence() {
        return nextSequence;
    }

    /** Number of the segment being written, or of the next one when there is none. */
    int number() {
        return segment == null ? nextNumber : segment.number;
    }

    @Nullable
    Segment segment() {
        return segment;
    }

    int maxEntryBytes() {
        return maxEntryBytes;
    }

    boolean hasPrepared() {
        return prepared != null;
    }

    /** Allocates the next segment if that was not done; false when there is no room. */
    boolean prepare() throws IOException {
        if (prepared == null) {
            Path file = directory.resolve(LogFiles.name(nextNumber) + LogFiles.PREPARED_SUFFIX);
            if (!Preallocation.allocate(file, config.segmentBytes(), guard.forSegments())) {
                return false;
            }
            prepared = file;
        }
        return true;
    }

    /** Makes sure that an entry of this size can be appended; false when the disk has no room for another segment. */
    boolean roomFor(int entryBytes) throws IOException {
        if (segment == null || !fits(segment.usedBytes(), entryBytes)) {
            if (!prepare()) {
                return false;
            }
            roll();
        }
        makePages(entryBytes);
        return true;
    }

    private void makePages(int entryBytes) throws IOException {
        if (segment != null && pages != null && appendedBytes - appendedBeforeSync < OFTEN_SYNCED_BYTES) {
            pages.makeFor(segment.usedBytes(), entryBytes);
        }
    }

    private boolean fits(long usedBytes, int entryBytes) {
        return usedBytes + entryBytes <= config.segmentBytes() - SegmentAppender.RESERVED_BYTES;
    }

    /** All that was appended is about to be synced. */
    void syncs() {
        appendedBeforeSync = appendedBytes;
    }

    /** Goes on in the prepared segment. */
    private void roll() throws IOException {
        Path from = prepared;
        if (from == null) {
            throw new IllegalStateException("no segment is prepared");
        }
        SegmentAppender to = appender;
        if (to == null) {
            to = new SegmentAppender(directory, config.segmentBytes());
            appender = to;
        }
        int number = nextNumber;
        Path file = SegmentAppender.file(directory, number);
        Files.move(from, file, StandardCopyOption.ATOMIC_MOVE);
        prepared = null;
        nextNumber++;
        to.roll(number);
        closePages();
        pages = new SegmentPages(file, config.segmentBytes());
        Segment next = new Segment(number, nextSequence, file);
        FileChannel channel = FileChannel.open(file, StandardOpenOption.READ, StandardOpenOption.WRITE);
        next.channel(channel);
        next.reader(SegmentReader.mapped(channel, config.segmentBytes()));
        work.rolled(segment);
        segment = next;
        indexer = new SegmentIndexer(next);
        index.segments().add(next);
    }

    /** Rolls when the segment is old and holds more that is dead than live, so that it can be freed. */
    boolean rollIfAged(long nowMs) throws IOException {
        Segment current = segment;
        boolean aged = current != null
                && !current.empty()
                && nowMs - current.firstAppendMs() > config.segmentMaxAgeMs()
                && current.liveBytes() < current.usedBytes() / 2;
        if (!aged || !prepare()) {
            return false;
        }
        roll();
        return true;
    }

    /** Bytes of all entries that were appended in this life of the log. */
    long appendedBytes() {
        return appendedBytes;
    }

    /**
     * Appends an entry for which there is room and returns the extent its batch went to, null when it has none. Whatever
     * this throws, the log must not be written any more.
     */
    @Nullable
    Extent append(int flags, byte @Nullable [] state, int partitionId, @Nullable ByteBuf batch, long nowMs) {
        Segment current = segment;
        SegmentAppender to = appender;
        SegmentIndexer rows = indexer;
        if (current == null || to == null || rows == null) {
            throw new IllegalStateException("there is no active segment");
        }
        long sequence = nextSequence;
        long position = to.append(sequence, flags, partitionId, state, batch);
        int entryBytes = EntryFormat.HEADER_BYTES
                + (state == null ? 0 : state.length)
                + (batch == null ? 0 : batch.readableBytes());
        nextSequence++;
        appendedBytes += entryBytes;
        current.appended(sequence, position + entryBytes, nowMs);
        if (batch == null) {
            return null;
        }
        boolean relocated = (flags & EntryFormat.FLAG_RELOCATED) != 0;
        row.of(partitionId, relocated, batch, batch.readerIndex());
        row.position = position;
        row.entryBytes = entryBytes;
        return rows.add(row);
    }

    private void closePages() throws IOException {
        if (pages != null) {
            pages.close();
            pages = null;
        }
    }

    /** Ends writing. The segment is left to be sealed by the next sync point, or deleted when it holds nothing. */
    @Override
    public void close() throws IOException {
        if (appender != null) {
            appender.close();
            appender = null;
        }
        closePages();
        if (prepared != null) {
            Files.deleteIfExists(prepared);
            prepared = null;
        }
        Segment last = segment;
        segment = null;
        indexer = null;
        if (last != null && last.empty()) {
            index.remove(last);
            Files.deleteIfExists(last.file());
            work.rolled(null);
        } else {
            work.rolled(last);
        }
    }
}
