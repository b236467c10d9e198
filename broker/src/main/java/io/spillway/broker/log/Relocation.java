package io.spillway.broker.log;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.io.IOException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Moves the live batches of one mostly dead segment forward, so that its disk can be given back. A batch is appended
 * again as it is, flagged as a copy; when all batches of an extent are copied the index takes the copies, and when all
 * extents are, the segment is free as soon as a sync covers the copies. A crash in between costs only the work: the old
 * segment is still there and older places are preferred when the log is opened. Confined to the shard thread.
 */
final class Relocation {
    private static final int STEP_BYTES = 512 << 10;

    private final LogIndex index;
    private final ActiveSegment active;
    private final BatchReader reader;
    private final ByteBuf buffer = Unpooled.directBuffer(STEP_BYTES);
    private final ArrayDeque<Extent> todo = new ArrayDeque<>();
    private final List<Extent> copies = new ArrayList<>();

    private @Nullable Segment source;
    private @Nullable Extent extent;
    private int row;
    private long relocatedBytes;

    Relocation(LogIndex index, ActiveSegment active, BatchReader reader) {
        this.index = index;
        this.active = active;
        this.reader = reader;
    }

    boolean running() {
        return source != null;
    }

    /** Begins with a segment; looks once through all extents for those that live in it. */
    void start(Segment segment) {
        source = segment;
        todo.clear();
        for (PartitionLog partition : index.partitions().values()) {
            for (int i = 0; i < partition.size(); i++) {
                if (partition.extent(i).segment == segment) {
                    todo.add(partition.extent(i));
                }
            }
        }
    }

    long relocatedBytes() {
        return relocatedBytes;
    }

    /** Copies a few batches; returns how many, 0 when there is no room for them now. */
    int step(long nowMs) throws IOException {
        Extent current = current();
        if (current == null) {
            source = null;
            return 1;
        }
        long[] table = index.tables().of(current);
        int bytes = 0;
        int done = 0;
        while (row < current.rows() && bytes < STEP_BYTES) {
            long base = Extent.rowBaseOffset(table, row);
            if (base >= current.from() && base < current.to()) {
                if (!active.roomFor(EntryFormat.HEADER_BYTES + Extent.batchBytes(table, row))) {
                    return done;
                }
                buffer.clear();
                if (!reader.copy(current, table, row, buffer)) {
                    current.segment.pin();
                    abandon();
                    return done + 1;
                }
                copy(current, nowMs);
                bytes += buffer.readableBytes();
            }
            row++;
            done++;
        }
        if (row == current.rows()) {
            finish(current);
        }
        return done + 1;
    }

    private void copy(Extent of, long nowMs) {
        Extent copy = active.append(EntryFormat.FLAG_RELOCATED, null, of.partitionId, buffer, nowMs);
        if (copy != null && (copies.isEmpty() || copies.get(copies.size() - 1) != copy)) {
            copies.add(copy);
        }
        relocatedBytes += buffer.readableBytes();
    }

    /** The extent that is being copied, if it is still needed, or the next one. */
    private @Nullable Extent current() {
        Extent unfinished = extent;
        if (unfinished != null && needed(unfinished)) {
            return unfinished;
        }
        abandonExtent();
        while (!todo.isEmpty()) {
            Extent next = todo.removeFirst();
            if (needed(next)) {
                extent = next;
                return next;
            }
        }
        return null;
    }

    private boolean needed(Extent candidate) {
        PartitionLog partition = index.partition(candidate.partitionId);
        return partition != null && partition.holds(candidate);
    }

    private void finish(Extent old) {
        PartitionLog partition = index.partitionOrNew(old.partitionId);
        List<Extent> live = new ArrayList<>();
        for (Extent copy : copies) {
            copy.close();
            long from = Math.max(copy.from(), old.from());
            if (from < copy.to()) {
                live.add(index.tables().part(copy, from, copy.to()));
            }
        }
        partition.replace(old, live);
        old.segment.freeAfter(active.nextSequence());
        abandonExtent();
    }

    private void abandon() {
        abandonExtent();
        source = null;
    }

    private void abandonExtent() {
        for (Extent copy : copies) {
            copy.close();
        }
        copies.clear();
        extent = null;
        row = 0;
    }

    void close() {
        buffer.release();
    }
}
