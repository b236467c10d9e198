package io.spillway.broker.shard;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.PooledByteBufAllocator;
import io.spillway.broker.idempotency.KeyWindow;
import io.spillway.broker.log.BatchCursor;
import io.spillway.broker.log.ShardLog;
import io.spillway.protocol.RecordBatch;
import io.spillway.protocol.RecordView;
import java.util.BitSet;
import org.jspecify.annotations.Nullable;

/**
 * Reads stored records to tell whether one really has the key whose hash was met, and which of a batch were stored when it came
 * before. Confined to the shard thread.
 */
final class StoredKey implements KeyWindow.KeyCheck {
    private final ShardLog log;
    private final Journal journal;
    private final ByteBuf buffer = PooledByteBufAllocator.DEFAULT.directBuffer(64 << 10);
    private final RecordView stored = new RecordView();
    private @Nullable Partition partition;
    private @Nullable BatchCursor cursor;
    private ByteBuf sought = buffer;
    private int soughtAt;
    private int soughtBytes;

    /** The offsets of the batch in the buffer, [from, to). Input that is published again meets them in order. */
    private long heldFrom;

    private long heldTo;

    StoredKey(ShardLog log, Journal journal) {
        this.log = log;
        this.journal = journal;
    }

    /** What is looked for from now on. */
    void look(Partition in, ByteBuf keyBuffer, int at, int bytes) {
        enter(in);
        sought = keyBuffer;
        soughtAt = at;
        soughtBytes = bytes;
    }

    private void enter(Partition in) {
        if (partition != in) {
            partition = in;
            cursor = log.cursor(in.id);
            heldTo = heldFrom;
        }
    }

    /**
     * Which records of a batch were stored when it came before, from this offset on: those there are some of the sent ones, in their
     * order, and of equal ones the first. Null when what was stored cannot be read any more.
     */
    @Nullable
    BitSet storedOf(Partition in, ByteBuf batch, long baseOffset) {
        enter(in);
        if (!load(baseOffset) || heldFrom != baseOffset) {
            return null;
        }
        BitSet found = new BitSet();
        RecordView sent = new RecordView().wrap(batch, batch.readerIndex());
        boolean isMore = stored.next();
        while (isMore && sent.next()) {
            if (isStored(batch, sent)) {
                found.set(sent.index());
                isMore = stored.next();
            }
        }
        return isMore ? null : found;
    }

    private boolean isStored(ByteBuf batch, RecordView sent) {
        return sent.recordBytes() == stored.recordBytes()
                && ByteBufUtil.equals(batch, sent.recordAt(), buffer, stored.recordAt(), sent.recordBytes());
    }

    @Override
    public boolean sameKey(long offset) {
        boolean held = heldFrom <= offset && offset < heldTo;
        if (!held && !load(offset)) {
            return false;
        }
        long index = offset - heldFrom;
        if (stored.index() > index) {
            stored.wrap(buffer, 0);
        }
        while (stored.index() < index) {
            if (!stored.next()) {
                return false;
            }
        }
        return stored.hasDedupId()
                && stored.dedupBytes() == soughtBytes
                && ByteBufUtil.equals(sought, soughtAt, buffer, stored.dedupAt(), soughtBytes);
    }

    /** Brings the batch with that offset into the buffer; false when it is not there any more. */
    private boolean load(long offset) {
        heldTo = heldFrom;
        BatchCursor reader = cursor;
        buffer.clear();
        if (reader == null || partition == null) {
            return false;
        }
        if (!journal.copyPending(partition.id, offset, buffer)) {
            if (!reader.seek(offset) || reader.baseOffset() > offset || !reader.copyTo(buffer)) {
                return false;
            }
        }
        stored.wrap(buffer, 0);
        heldFrom = RecordBatch.baseOffset(buffer, 0);
        heldTo = heldFrom + RecordBatch.recordCount(buffer, 0);
        return true;
    }

    /** Gives the scratch memory back. */
    void close() {
        buffer.release();
    }
}
