package io.spillway.broker.shard;

import io.netty.buffer.ByteBuf;
import org.jspecify.annotations.Nullable;

/**
 * One entry of the Raft log: a bundle of entries of one shard, in order. Big-endian.
 *
 * <pre>
 *  0 u8  version=1
 *  1 u8  0
 *  2 u16 shard
 *  4 u32 parts
 *  8 u64 session   of the leader that proposed it: its term << 16 | how often it began in that term
 * 16 u64 ordinal   0 begins the session, then dense
 * 24 part: u32 state_len | u32 partition_id | u32 batch_len | state section | batch
 * </pre>
 *
 * A cursor over the parts of an entry, and the way to write one. Confined to one thread.
 */
final class AgreedEntry {
    static final int HEADER_BYTES = 24;
    static final int PART_HEADER_BYTES = 12;
    /** A term's sessions. */
    static final int SESSION_BITS = 16;

    private static final int VERSION = 1;
    private static final int SHARD_AT = 2;
    private static final int PARTS_AT = 4;
    private static final int SESSION_AT = 8;
    private static final int ORDINAL_AT = 16;

    private ByteBuf entry;
    private int part = -1;
    private int at;
    private int stateBytes;
    private int batchBytes;

    /** @param entry from its reader index on; throws IllegalStateException when it is of a newer version */
    AgreedEntry(ByteBuf entry) {
        this.entry = entry;
        if (entry.getByte(entry.readerIndex()) != VERSION) {
            throw new IllegalStateException("an entry of the cluster's log is of a newer version; upgrade first");
        }
        at = entry.readerIndex() + HEADER_BYTES;
    }

    /** The shard an entry is for. */
    static int shard(ByteBuf entry) {
        return entry.getUnsignedShort(entry.readerIndex() + SHARD_AT);
    }

    long session() {
        return entry.getLong(entry.readerIndex() + SESSION_AT);
    }

    long ordinal() {
        return entry.getLong(entry.readerIndex() + ORDINAL_AT);
    }

    int parts() {
        return entry.getInt(entry.readerIndex() + PARTS_AT);
    }

    /** Goes to the next part; false behind the last. */
    boolean next() {
        at += part < 0 ? 0 : PART_HEADER_BYTES + stateBytes + batchBytes;
        if (part + 1 >= parts()) {
            return false;
        }
        part++;
        stateBytes = entry.getInt(at);
        batchBytes = entry.getInt(at + 8);
        return true;
    }

    /** The current part, from 0. */
    int part() {
        return part;
    }

    int partitionId() {
        return entry.getInt(at + 4);
    }

    byte[] state() {
        byte[] bytes = new byte[stateBytes];
        entry.getBytes(at + PART_HEADER_BYTES, bytes);
        return bytes;
    }

    /** The batch of the current part, a view; null when it has none. */
    @Nullable
    ByteBuf batch() {
        return batchBytes == 0 ? null : entry.slice(at + PART_HEADER_BYTES + stateBytes, batchBytes);
    }

    /** What a part will take. */
    static int partBytes(byte @Nullable [] state, @Nullable ByteBuf batch) {
        return PART_HEADER_BYTES + (state == null ? 0 : state.length) + (batch == null ? 0 : batch.readableBytes());
    }

    /** Begins an entry without parts in an empty buffer. */
    static void begin(ByteBuf to, int shard, long session, long ordinal) {
        to.writeByte(VERSION).writeByte(0).writeShort(shard).writeInt(0);
        to.writeLong(session).writeLong(ordinal);
    }

    static void add(ByteBuf to, byte @Nullable [] state, int partitionId, @Nullable ByteBuf batch) {
        to.writeInt(state == null ? 0 : state.length);
        to.writeInt(partitionId);
        to.writeInt(batch == null ? 0 : batch.readableBytes());
        if (state != null) {
            to.writeBytes(state);
        }
        if (batch != null) {
            to.writeBytes(batch, batch.readerIndex(), batch.readableBytes());
        }
        int parts = to.readerIndex() + PARTS_AT;
        to.setInt(parts, to.getInt(parts) + 1);
    }
}
