package io.spillway.broker.log;

import io.netty.buffer.ByteBuf;
import java.nio.ByteBuffer;
import java.util.zip.CRC32C;

/**
 * One entry of the log, the body of one Chronicle document. Big-endian.
 *
 * <pre>
 *  0 u32 crc32c over bytes 4..28, the state section and the first 32 bytes of the batch
 *  4 u8  version=1
 *  5 u8  flags          1 = relocated copy of an older batch
 *  6 u16 0
 *  8 u32 partition_id   of the batch; 0 when there is none
 * 12 u32 state_len
 * 16 u32 batch_len
 * 20 u64 sequence       dense in the shard, from 0
 * 28 state section | batch (its own CRC covers what follows its first 32 bytes)
 * </pre>
 *
 * Before each body Chronicle has a little-endian length word: bit 31 = not complete, bit 30 = its own metadata, the
 * rest the length; bodies start 4 bytes after it, words are 4-byte aligned, 0 = nothing was written here yet.
 */
final class EntryFormat {
    static final int HEADER_BYTES = 28;
    static final int VERSION = 1;
    static final int FLAG_RELOCATED = 1;

    static final int CRC = 0;
    static final int VERSION_AT = 4;
    static final int FLAGS = 5;
    static final int PARTITION = 8;
    static final int STATE_LENGTH = 12;
    static final int BATCH_LENGTH = 16;
    static final int SEQUENCE = 20;

    static final int WORD_BYTES = 4;
    static final int NOT_COMPLETE = 0x8000_0000;
    static final int META_DATA = 0x4000_0000;
    static final int LENGTH_MASK = 0x3fff_ffff;
    static final int END_OF_DATA = NOT_COMPLETE | META_DATA;

    private EntryFormat() {}

    static long align(long position) {
        return (position + WORD_BYTES - 1) & -WORD_BYTES;
    }

    /** Adds bytes of a buffer to a CRC without allocating for the usual direct buffer. */
    static void update(CRC32C crc, ByteBuf buffer, int index, int bytes) {
        if (buffer.hasArray()) {
            crc.update(buffer.array(), buffer.arrayOffset() + index, bytes);
        } else if (buffer.nioBufferCount() == 1) {
            crc.update(buffer.internalNioBuffer(index, bytes));
        } else {
            for (ByteBuffer part : buffer.nioBuffers(index, bytes)) {
                crc.update(part);
            }
        }
    }
}
