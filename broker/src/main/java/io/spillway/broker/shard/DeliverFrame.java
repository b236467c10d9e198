package io.spillway.broker.shard;

import com.google.protobuf.UnsafeByteOperations;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.PooledByteBufAllocator;
import io.spillway.broker.log.BatchCursor;
import io.spillway.broker.subscription.Selection;
import io.spillway.protocol.v1.Deliver;
import io.spillway.protocol.v1.Segment;
import org.jspecify.annotations.Nullable;

/** One DELIVER frame while it is filled: stored batches, and the segments that say what of them is meant. */
final class DeliverFrame {
    /** Payload after which a frame is closed, in bytes. */
    static final int MAX_BYTES = 256 << 10;
    /** Segments after which a frame is closed, so that its header stays small when the batches are. */
    private static final int MAX_SEGMENTS = 1 << 10;
    /**
     * Records looked at one by one after which a frame is closed, also when few of them go out, so that a long stretch
     * nobody wants holds up the shard for milliseconds at most.
     */
    private static final int MAX_LOOKS = 16 << 10;

    private final Deliver.Builder header = Deliver.newBuilder();
    private @Nullable ByteBuf payload;
    private int batchAt;
    private int looks;
    private long copiedBytes;

    boolean isFull() {
        ByteBuf out = payload;
        return looks >= MAX_LOOKS
                || (out != null && (out.readableBytes() >= MAX_BYTES || header.getSegmentsCount() >= MAX_SEGMENTS));
    }

    /** Records were looked at. */
    void looked(int records) {
        looks += records;
    }

    /** Bytes were read for it, also those that do not go out. */
    void copied(int bytes) {
        copiedBytes += bytes;
    }

    long copiedBytes() {
        return copiedBytes;
    }

    /** Whether records were looked at one by one. */
    boolean hasLooked() {
        return looks > 0;
    }

    /** Copies the batch under the cursor behind the others; false, with the frame as before, when it cannot be read. */
    boolean copy(BatchCursor cursor, Partition partition) {
        ByteBuf out = payload;
        if (out == null) {
            out = allocate(cursor, partition);
            payload = out;
        }
        batchAt = out.writerIndex();
        if (!cursor.copyTo(out)) {
            drop();
            return false;
        }
        copiedBytes += out.writerIndex() - batchAt;
        return true;
    }

    private static ByteBuf allocate(BatchCursor cursor, Partition partition) {
        boolean onlyOne = cursor.endOffset() >= partition.visibleEnd;
        int expected = onlyOne ? cursor.bytes() : Math.max(cursor.bytes(), MAX_BYTES + (MAX_BYTES >> 2));
        return PooledByteBufAllocator.DEFAULT.directBuffer(expected);
    }

    /** The payload, with the batch copied last at {@link #batchAt}. */
    ByteBuf buffer() {
        if (payload == null) {
            throw new IllegalStateException("no batch was copied");
        }
        return payload;
    }

    int batchAt() {
        return batchAt;
    }

    /** Bytes of the batch copied last. */
    int batchBytes() {
        return buffer().writerIndex() - batchAt;
    }

    /** Takes the batch copied last out again. */
    void drop() {
        buffer().writerIndex(batchAt);
    }

    /** Says what is meant of the batch copied last. */
    void add(Segment.Builder segment) {
        header.addSegments(segment);
    }

    /** The same, when that is only some of its records. */
    void add(Segment.Builder segment, Selection selected) {
        if (selected.count() < selected.records()) {
            segment.setSelected(UnsafeByteOperations.unsafeWrap(selected.bitmap()));
        }
        header.addSegments(segment);
    }

    /** A record of the frame may have a deadline: the consumer wants to know our clock. */
    void timed(long nowMs) {
        header.setUnixMs(nowMs);
    }

    /** Sends what there is; false when there is nothing. */
    boolean send(SubscriberPort port) {
        ByteBuf out = payload;
        if (out == null) {
            return false;
        }
        if (!out.isReadable()) {
            out.release();
            return false;
        }
        port.deliver(header.build(), out);
        return true;
    }
}
