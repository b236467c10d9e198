package io.spillway.broker.log;

import io.netty.buffer.ByteBuf;
import io.spillway.broker.base.Clock;
import io.spillway.broker.base.SpillwayException;
import io.spillway.protocol.Code;
import io.spillway.protocol.RecordBatch;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.agrona.collections.Int2ObjectHashMap;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The durable log of one shard: entries of state and batches of all its partitions, appended in one sequence, forced
 * together, read by partition and offset. Confined to the shard thread, but for {@link SyncPoint#force}.
 */
public final class ShardLog implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(ShardLog.class);
    private static final long IDLE_SYNC_MS = 1000;

    private final LogConfig config;
    private final LogFiles files;
    private final Clock clock;
    private final LogIndex index;
    private final RecoveryReport recovery;
    private final BatchReader reader;
    private final SyncMark mark;
    private final SyncWork work;
    private final SnapshotStore snapshots;
    private final DiskGuard guard;
    private final ActiveSegment active;
    private final Upkeep upkeep;

    private long syncedSequence;
    private long syncTakenMs;
    private @Nullable WriteState failed;
    private boolean closed;

    /**
     * Creates the log in a directory or recovers the one that is there. Damage is reported by {@link #recovery} and not
     * thrown; throws SpillwayException when the directory cannot be used at all. The caller holds the lock of the data
     * directory.
     */
    public static ShardLog open(Path directory, LogConfig config, Clock clock) {
        LogFiles files = new LogFiles(directory);
        try {
            Files.createDirectories(files.active());
            Files.createDirectories(files.segments());
            Files.createDirectories(files.snapshots());
            return open(files, config, clock, DiskSpace.of(directory));
        } catch (IOException e) {
            throw new SpillwayException(
                    Code.STORAGE_ERROR,
                    "the log in " + directory + " cannot be opened",
                    e.toString(),
                    "check that the directory is writable and its disk healthy",
                    0,
                    e);
        }
    }

    static ShardLog open(LogFiles files, LogConfig config, Clock clock, DiskSpace disk) throws IOException {
        Recovery.Result recovered = Recovery.run(files, clock);
        ShardLog log = new ShardLog(files, config, clock, disk, recovered);
        try {
            log.start(recovered);
            return log;
        } catch (IOException | RuntimeException e) {
            log.release();
            throw e;
        }
    }

    private ShardLog(LogFiles files, LogConfig config, Clock clock, DiskSpace disk, Recovery.Result recovered)
            throws IOException {
        this.files = files;
        this.config = config;
        this.clock = clock;
        index = recovered.index();
        recovery = recovered.report();
        syncedSequence = recovered.nextSequence();
        reader = new BatchReader(index);
        mark = new SyncMark(files.synced());
        work = new SyncWork(files, mark);
        snapshots = new SnapshotStore(files.snapshots());
        guard = new DiskGuard(config, disk, clock.nowMs());
        active = new ActiveSegment(index, config, guard, work);
        upkeep = new Upkeep(index, config, active, guard, work, reader);
    }

    private void start(Recovery.Result recovered) throws IOException {
        work.begin(index.manifest(false, recovered.nextNumber(), recovered.nextSequence()), recovered.nextSequence());
        active.open(recovered.nextNumber(), recovered.nextSequence());
        if (active.segment() == null) {
            guard.exhausted(true);
        }
        syncTakenMs = clock.nowMs();
    }

    /** What opening found. */
    public RecoveryReport recovery() {
        return recovery;
    }

    /** Bytes of all entries that were appended since the log was opened. */
    public long appendedBytes() {
        return active.appendedBytes();
    }

    /** The sequence the next entry will have. */
    public long nextSequence() {
        return active.nextSequence();
    }

    /** All entries before this one are durable. */
    public long syncedSequence() {
        return syncedSequence;
    }

    /**
     * Appends one entry and returns its sequence. The batch is stamped and complete ({@link RecordBatch#stamp}) and
     * begins at the partition's end offset; its bytes are copied, its reader index stays. Throws SpillwayException
     * STORAGE_ERROR when the log has failed, READ_ONLY when the disk has no room for it (never half an entry), TOO_LARGE
     * when it does not fit a segment.
     */
    public long append(byte @Nullable [] state, int partitionId, @Nullable ByteBuf batch) {
        return append(state, partitionId, batch, false);
    }

    /** @param fromReserve a batch, too, may use the space that is kept for entries of state */
    public long append(byte @Nullable [] state, int partitionId, @Nullable ByteBuf batch, boolean fromReserve) {
        WriteState refusal = failed;
        if (refusal != null) {
            throw new SpillwayException(
                    Code.STORAGE_ERROR, "the log takes no more entries", refusal.why(), "restart the broker");
        }
        if (batch != null) {
            if (!fromReserve && !guard.state().writable()) {
                throw readOnly();
            }
            checkOffset(partitionId, batch);
        }
        int entryBytes = EntryFormat.HEADER_BYTES
                + (state == null ? 0 : state.length)
                + (batch == null ? 0 : batch.readableBytes());
        checkSize(entryBytes);
        long sequence = active.nextSequence();
        try {
            if (!active.roomFor(entryBytes)) {
                guard.exhausted(batch == null);
                throw readOnly();
            }
            Extent extent = active.append(0, state, partitionId, batch, clock.nowMs());
            if (extent != null && batch != null) {
                grown(partitionId, extent, batch.readableBytes());
            }
        } catch (SpillwayException e) {
            throw e;
        } catch (IOException | RuntimeException | Error e) {
            fail(e);
            throw new SpillwayException(
                    Code.STORAGE_ERROR,
                    "appending to " + files.root() + " failed",
                    e.toString(),
                    "restart the broker",
                    0,
                    e);
        }
        return sequence;
    }

    private void grown(int partitionId, Extent extent, int batchBytes) {
        PartitionLog partition = index.partitionOrNew(partitionId);
        if (extent.rows() == 1) {
            partition.addLast(extent);
        } else {
            partition.grew(extent, batchBytes);
        }
    }

    private void checkOffset(int partitionId, ByteBuf batch) {
        long base = RecordBatch.baseOffset(batch, batch.readerIndex());
        if (base != endOffset(partitionId)
                || RecordBatch.totalBytes(batch, batch.readerIndex()) != batch.readableBytes()) {
            throw new IllegalArgumentException("partition " + partitionId + " ends at " + endOffset(partitionId)
                    + ", not a whole batch that begins there: offset " + base + ", " + batch.readableBytes()
                    + " bytes");
        }
    }

    /** Throws TOO_LARGE when an entry with so many bytes of state and batch does not fit a segment. */
    public void requireFits(int bytes) {
        checkSize(EntryFormat.HEADER_BYTES + bytes);
    }

    private void checkSize(int entryBytes) {
        if (entryBytes > active.maxEntryBytes() || entryBytes < 0) {
            throw new SpillwayException(
                    Code.TOO_LARGE,
                    "an entry of " + entryBytes + " bytes does not fit the log",
                    "the limit is " + active.maxEntryBytes() + " bytes with segments of " + config.segmentBytes(),
                    "send smaller batches or raise log.segmentBytes");
        }
    }

    private SpillwayException readOnly() {
        WriteState state = guard.state();
        return new SpillwayException(
                Code.READ_ONLY,
                "the log in " + files.root() + " takes no batches now",
                state.why(),
                "free disk space or shorten retention; publishing goes on by itself then",
                state.retryAfterMs(),
                null);
    }

    /** What the log accepts now; looked at again by {@link #maintain}, at most once a second. */
    public WriteState writeState() {
        WriteState refusal = failed;
        return refusal == null ? guard.state() : refusal;
    }

    /** Whether a sync point taken now would have something to do. */
    public boolean syncDue() {
        return active.nextSequence() > syncedSequence || work.pending();
    }

    /** A sync point that covers everything appended so far; it must be forced and handed back, in order. */
    public SyncPoint syncPoint() {
        active.syncs();
        Segment segment = active.segment();
        FileChannel channel = segment == null ? null : segment.channel();
        syncTakenMs = clock.nowMs();
        return work.take(active.nextSequence(), channel, this::manifest, syncTakenMs);
    }

    private Manifest manifest() {
        Segment segment = active.segment();
        long base = segment == null ? active.nextSequence() : segment.baseSequence;
        return index.manifest(false, active.number(), base);
    }

    /** Takes note that a sync point was forced. */
    public void markSynced(SyncPoint point) {
        syncedSequence = Math.max(syncedSequence, point.sequence());
        work.finished(point, index.tables());
    }

    /** The log takes nothing any more; what it has can be read. Called when a force failed. */
    public void fail(Throwable cause) {
        if (failed == null) {
            failed = new WriteState(WriteState.Mode.FAILED, cause.toString(), 0);
            LOG.error(
                    "what=\"the log failed and is read-only\" directory={} next=\"check the disk, then restart\"",
                    files.root(),
                    cause);
        }
    }

    /** First offset that is kept; 0 for an unknown partition. */
    public long startOffset(int partitionId) {
        PartitionLog partition = index.partition(partitionId);
        return partition == null ? 0 : partition.startOffset();
    }

    /** Offset the next record will get; 0 for an unknown partition. */
    public long endOffset(int partitionId) {
        PartitionLog partition = index.partition(partitionId);
        return partition == null ? 0 : partition.endOffset();
    }

    /** Bytes of the batches that are kept; 0 for an unknown partition. */
    public long bytes(int partitionId) {
        PartitionLog partition = index.partition(partitionId);
        return partition == null ? 0 : partition.bytes();
    }

    /** Bytes of the batches that end after an offset. */
    public long bytesFrom(int partitionId, long offset) {
        PartitionLog partition = index.partition(partitionId);
        return partition == null ? 0 : partition.bytesFrom(offset, index.tables());
    }

    /** Append time of the batch that holds an offset, or of the next one; {@link Long#MAX_VALUE} at the end. */
    public long timeAt(int partitionId, long offset) {
        PartitionLog partition = index.partition(partitionId);
        return partition == null ? Long.MAX_VALUE : partition.timeAt(offset, index.tables());
    }

    /** The partitions that have a start or end offset, in no order. */
    public int[] partitions() {
        int[] ids = new int[index.partitions().size()];
        int i = 0;
        for (Int2ObjectHashMap<PartitionLog>.KeyIterator keys =
                        index.partitions().keySet().iterator();
                keys.hasNext(); ) {
            ids[i++] = keys.nextInt();
        }
        return ids;
    }

    /** A reader of one partition, before its first seek; the partition may not exist yet. */
    public BatchCursor cursor(int partitionId) {
        return new BatchCursor(index, reader, partitionId);
    }

    /** Base offset of the first batch appended at or after the time, or the end offset. */
    public long offsetAtTime(int partitionId, long timeMs) {
        PartitionLog partition = index.partition(partitionId);
        return partition == null ? 0 : partition.offsetAtTime(timeMs, index.tables());
    }

    /**
     * Visits the entries from a sequence on, in order; copies made by relocation are left out, and so are entries that
     * are damaged, which is logged.
     */
    public void replay(long fromSequence, EntryVisitor visitor) {
        try {
            for (Segment segment : List.copyOf(index.segments())) {
                if (segment.endSequence() > fromSequence) {
                    SegmentReplay.run(segment, fromSequence, visitor);
                }
            }
        } catch (IOException e) {
            throw new SpillwayException(
                    Code.STORAGE_ERROR,
                    "the log in " + files.root() + " cannot be read",
                    e.toString(),
                    "check the disk, then restart the broker",
                    0,
                    e);
        }
    }

    /** Start and end as a snapshot has them: what is below the start goes, offsets go on at the end at least. */
    public void restoreStart(int partitionId, long startOffset, long endOffset) {
        PartitionLog partition = index.partitionOrNew(partitionId);
        partition.trim(startOffset, index.tables());
        partition.raise(startOffset, endOffset);
    }

    /** Gives up everything below an offset, whole batches at a time. */
    public void trim(int partitionId, long newStartOffset) {
        PartitionLog partition = index.partition(partitionId);
        if (partition != null) {
            partition.trim(newStartOffset, index.tables());
        }
    }

    /** Forgets a partition and gives up all its batches. */
    public void drop(int partitionId) {
        PartitionLog partition = index.partition(partitionId);
        if (partition != null) {
            partition.drop();
            index.partitions().remove(partitionId);
        }
    }

    /** The start offset that retention would give: whole extents older than maxAgeMs or over maxBytes go; -1 = no limit. */
    public long expiredUpTo(int partitionId, long maxAgeMs, long maxBytes, long nowMs) {
        PartitionLog partition = index.partition(partitionId);
        return partition == null ? 0 : partition.expiredUpTo(maxAgeMs, maxBytes, nowMs);
    }

    /**
     * One bounded step of the chores: watermark, next segment, aged segment, dead segments, relocation. Entries before
     * {@code snapshotSequence} are not needed for replay. Returns how much was done; 0 = nothing is due.
     */
    public int maintain(long nowMs, long snapshotSequence) {
        if (failed != null || closed) {
            return 0;
        }
        try {
            int done = upkeep.step(nowMs, snapshotSequence, syncedSequence);
            // with nothing to publish nobody syncs, but what was freed must still go
            if (work.pending() && !work.outstanding() && clock.nowMs() - syncTakenMs > IDLE_SYNC_MS) {
                sync(syncPoint());
                done++;
            }
            return done;
        } catch (IOException | RuntimeException | Error e) {
            fail(e);
            return 0;
        }
    }

    private void sync(SyncPoint point) throws IOException {
        point.force();
        markSynced(point);
    }

    /** From the first batch on that is found corrupt nothing is read: what follows it must not come before it. */
    public void haltAtDamage() {
        reader.haltAtDamage();
    }

    /** Different batches found corrupt when they were read, since the log was opened. */
    public long corruptBatches() {
        return reader.corruptBatches();
    }

    /** The sequence of the oldest entry that is there; that of the next one when there is none. */
    public long firstSequence() {
        List<Segment> segments = index.segments();
        return segments.isEmpty() ? nextSequence() : segments.get(0).baseSequence;
    }

    /** Where snapshots of the shard's state are kept. */
    public SnapshotStore snapshots() {
        return snapshots;
    }

    public LogStats stats() {
        long bytes = 0;
        long live = 0;
        for (Segment segment : index.segments()) {
            bytes += segment == active.segment() ? config.segmentBytes() : segment.usedBytes();
            live += segment.liveBytes();
        }
        return new LogStats(
                index.segments().size(),
                bytes + (active.hasPrepared() ? config.segmentBytes() : 0),
                live,
                index.partitions().size(),
                guard.freeBytes(),
                reader.corruptBatches(),
                upkeep.relocatedBytes(),
                upkeep.freedSegments(),
                syncedSequence);
    }

    /**
     * Forces everything, closes the active segment and marks the log clean. Every sync point must have come back. A log
     * that failed is left as it is, for recovery.
     */
    @Override
    public void close() {
        if (closed) {
            return;
        }
        closed = true;
        try {
            if (failed == null) {
                active.close();
                Manifest last = index.manifest(true, active.number(), active.nextSequence());
                sync(work.takeLast(active.nextSequence(), null, last));
            }
        } catch (IOException e) {
            throw new SpillwayException(
                    Code.STORAGE_ERROR,
                    "the log in " + files.root() + " was not closed properly",
                    e.toString(),
                    "nothing is lost that was acknowledged as synced; check the disk before the next start",
                    0,
                    e);
        } finally {
            release();
        }
    }

    private void release() {
        closed = true;
        try {
            active.close();
        } catch (IOException e) {
            LOG.warn(
                    "what=\"the active segment was not closed\" directory={} next=\"none; the next start verifies it\"",
                    files.root(),
                    e);
        }
        index.close();
        mark.close();
        upkeep.close();
        reader.close();
    }
}
