package io.spillway.broker.replay;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.spillway.protocol.ProtocolException;
import io.spillway.protocol.RecordBatch;
import io.spillway.protocol.RecordView;

/**
 * Walks over the records of a plan in its order, through batches that the caller reads: {@link #state} tells whether the
 * next one is here, lost, or still to be read. Not thread-safe.
 */
final class PlannedRecords {
    /** What can be said of the next record. */
    enum State {
        /** {@link #view} stands on it. */
        HERE,
        /** Batches from {@link #offset} on are to be supplied. */
        WANTED,
        /** It cannot be read: corrupt, or removed meanwhile. */
        LOST,
        /** There is none. */
        END
    }

    private final Ranges ranges;
    private final RecordView view = new RecordView();
    private int partition;
    private int range;
    private long offset;
    /** Position in the plan: records before the next one. */
    private long position;

    private ByteBuf batches = Unpooled.EMPTY_BUFFER;
    private int batchAt;
    private int suppliedPartition = -1;
    private long suppliedTo;
    private boolean wrapped;
    private boolean isReadable;

    PlannedRecords(Ranges ranges) {
        this.ranges = ranges;
        enterRange();
    }

    /** Goes to the record before which so many lie; what was supplied is given up. */
    void goTo(long target) {
        release();
        partition = 0;
        range = 0;
        position = 0;
        enterRange();
        while (position < target && !isAtEnd()) {
            long left = bound(1) - offset;
            long step = Math.min(left, target - position);
            position += step;
            offset += step;
            leaveRange();
        }
    }

    long position() {
        return position;
    }

    int partition() {
        return ranges.partitions().get(partition).partition();
    }

    long offset() {
        return offset;
    }

    boolean isAtEnd() {
        return partition >= ranges.partitions().size();
    }

    private long bound(int end) {
        return ranges.partitions().get(partition).bounds()[2 * range + end];
    }

    private void enterRange() {
        if (!isAtEnd()) {
            offset = bound(0);
        }
    }

    private void leaveRange() {
        if (offset < bound(1)) {
            return;
        }
        range++;
        if (2 * range >= ranges.partitions().get(partition).bounds().length) {
            range = 0;
            partition++;
        }
        enterRange();
    }

    /** Moves on to the next record of the plan. */
    void advance() {
        position++;
        offset++;
        leaveRange();
    }

    /** Takes batches over; {@code next} is where a further read would begin. */
    void supply(ByteBuf read, long next) {
        release();
        batches = read;
        batchAt = read.readerIndex();
        suppliedPartition = partition();
        suppliedTo = next;
    }

    State state() {
        if (isAtEnd()) {
            return State.END;
        }
        if (suppliedPartition != partition() || offset >= suppliedTo) {
            return State.WANTED;
        }
        while (batchAt < batches.writerIndex()) {
            long base = RecordBatch.baseOffset(batches, batchAt);
            long end = base + RecordBatch.recordCount(batches, batchAt);
            if (offset < base) {
                return State.LOST;
            }
            if (offset < end) {
                return walkTo((int) (offset - base)) ? State.HERE : State.LOST;
            }
            batchAt += RecordBatch.totalBytes(batches, batchAt);
            wrapped = false;
        }
        return State.LOST;
    }

    private boolean walkTo(int index) {
        if (!wrapped) {
            view.wrap(batches, batchAt);
            wrapped = true;
            isReadable = next();
        }
        while (view.index() < index) {
            isReadable = next();
        }
        return isReadable;
    }

    private boolean next() {
        try {
            return view.next();
        } catch (ProtocolException e) {
            return false;
        }
    }

    RecordView view() {
        return view;
    }

    void release() {
        batches.release();
        batches = Unpooled.EMPTY_BUFFER;
        suppliedPartition = -1;
        wrapped = false;
    }
}
