package io.spillway.broker.log;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.spillway.protocol.RecordBatch;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.util.ArrayList;
import java.util.List;
import java.util.zip.CRC32C;
import org.agrona.BufferUtil;

/**
 * Walks the entries of a segment file in order and trusts nothing: an entry counts when its length word, header,
 * checksum and sequence are right. Behind anything else it looks for the next place where an entry with a later
 * sequence begins, and remembers the hole. Chronicle's own documents (its file header and index) are skipped. Reads in
 * large pieces through the file, not through a mapping. Confined to one thread.
 */
final class SegmentScanner implements AutoCloseable {
    private static final int WINDOW_BYTES = 1 << 20;
    /** Chronicle's own documents are far smaller; a larger one is a damaged length word. */
    private static final int MAX_META_BYTES = 64 << 10;

    private final FileChannel channel;
    private final long limit;
    private final CRC32C crc = new CRC32C();
    private final List<Hole> holes = new ArrayList<>();

    private ByteBuffer memory = ByteBuffer.allocateDirect(WINDOW_BYTES);
    private ByteBuf window = Unpooled.wrappedBuffer(memory);
    private long windowAt;
    private int windowBytes;

    private long cursor;
    private long expected;
    private long end;
    private long tail;
    private long position;
    private int entryBytes;
    private int at;

    /**
     * Bytes [from, to) that hold no valid entry although a valid one follows, or ought to; firstSequence is the sequence
     * that was expected there and nextSequence the one that came.
     */
    record Hole(long from, long to, long firstSequence, long nextSequence) {}

    /** Scans [0, limit) of the file, expecting the first entry to have this sequence. */
    SegmentScanner(FileChannel channel, long limit, long firstSequence) {
        this.channel = channel;
        this.limit = limit;
        this.expected = firstSequence;
    }

    /** Moves to the next valid entry; false when there is none up to the limit. */
    boolean next() throws IOException {
        long from = cursor;
        boolean inOrder = true;
        while (true) {
            if (from + EntryFormat.WORD_BYTES > limit) {
                return false;
            }
            int word = word(from);
            long metaEnd = metaEnd(from, word);
            if (inOrder && metaEnd > 0) {
                from = metaEnd;
                tail = from;
                continue;
            }
            int bytes = word > 0 && (word & EntryFormat.META_DATA) == 0 ? validAt(from, word) : -1;
            if (bytes > 0) {
                take(from, bytes);
                return true;
            }
            inOrder = false;
            from = nextCandidate(from + EntryFormat.WORD_BYTES);
        }
    }

    private void take(long wordAt, int bytes) throws IOException {
        position = wordAt + EntryFormat.WORD_BYTES;
        entryBytes = bytes;
        at = load(position, bytes);
        long found = sequence();
        if (found != expected) {
            holes.add(new Hole(cursor, wordAt, expected, found));
        }
        expected = found + 1;
        end = position + bytes;
        cursor = EntryFormat.align(end);
        tail = cursor;
    }

    private long metaEnd(long wordAt, int word) {
        boolean meta = (word & EntryFormat.END_OF_DATA) == EntryFormat.META_DATA;
        int bytes = word & EntryFormat.LENGTH_MASK;
        long after = EntryFormat.align(wordAt + EntryFormat.WORD_BYTES + bytes);
        return meta && bytes <= MAX_META_BYTES && after <= limit ? after : -1;
    }

    /** The entry's length when a valid one with an expected or later sequence starts here, else -1. */
    private int validAt(long wordAt, int bytes) throws IOException {
        long body = wordAt + EntryFormat.WORD_BYTES;
        if (bytes < EntryFormat.HEADER_BYTES || body + bytes > limit) {
            return -1;
        }
        int header = load(body, EntryFormat.HEADER_BYTES);
        int flags = window.getUnsignedByte(header + EntryFormat.FLAGS);
        int state = window.getInt(header + EntryFormat.STATE_LENGTH);
        int batch = window.getInt(header + EntryFormat.BATCH_LENGTH);
        long sequence = window.getLong(header + EntryFormat.SEQUENCE);
        if (window.getUnsignedByte(header + EntryFormat.VERSION_AT) != EntryFormat.VERSION
                || (flags & ~EntryFormat.FLAG_RELOCATED) != 0
                || state < 0
                || batch < 0
                || (long) state + batch + EntryFormat.HEADER_BYTES != bytes
                || (batch > 0 && batch < RecordBatch.HEADER_BYTES)
                || sequence < expected) {
            return -1;
        }
        int start = load(body, bytes);
        int covered = EntryFormat.HEADER_BYTES + state + Math.min(batch, RecordBatch.CRC_START);
        crc.reset();
        EntryFormat.update(crc, window, start + EntryFormat.VERSION_AT, covered - EntryFormat.VERSION_AT);
        return (int) crc.getValue() == window.getInt(start + EntryFormat.CRC) ? bytes : -1;
    }

    /** The next aligned place from here on whose word is not zero; zeros are skipped eight bytes at a time. */
    private long nextCandidate(long from) throws IOException {
        long place = from;
        while (place + Long.BYTES <= limit) {
            int index = load(place, Long.BYTES);
            int last = (int) Math.min(windowBytes, limit - windowAt) - Long.BYTES;
            while (index <= last && window.getLong(index) == 0) {
                index += Long.BYTES;
            }
            place = windowAt + index;
            if (index <= last) {
                return window.getInt(index) != 0 ? place : place + EntryFormat.WORD_BYTES;
            }
        }
        return place;
    }

    private int word(long place) throws IOException {
        return window.getIntLE(load(place, EntryFormat.WORD_BYTES));
    }

    /** Makes the bytes available in the window and returns their index there. */
    private int load(long place, int bytes) throws IOException {
        if (place < windowAt || place + bytes > windowAt + windowBytes) {
            if (bytes > window.capacity()) {
                BufferUtil.free(memory);
                memory = ByteBuffer.allocateDirect(bytes);
                window = Unpooled.wrappedBuffer(memory);
            }
            windowAt = place;
            windowBytes = (int) Math.min(window.capacity(), limit - place);
            window.clear();
            while (window.writerIndex() < windowBytes) {
                int read = window.writeBytes(channel, place + window.writerIndex(), windowBytes - window.writerIndex());
                if (read < 0) {
                    throw new IOException(
                            "the file ends at byte " + (place + window.writerIndex()) + " while it is read");
                }
            }
        }
        return (int) (place - windowAt);
    }

    /** Position of the entry in the file. */
    long position() {
        return position;
    }

    int entryBytes() {
        return entryBytes;
    }

    long sequence() {
        return window.getLong(at + EntryFormat.SEQUENCE);
    }

    boolean relocated() {
        return (window.getUnsignedByte(at + EntryFormat.FLAGS) & EntryFormat.FLAG_RELOCATED) != 0;
    }

    int partitionId() {
        return window.getInt(at + EntryFormat.PARTITION);
    }

    int stateBytes() {
        return window.getInt(at + EntryFormat.STATE_LENGTH);
    }

    int batchBytes() {
        return window.getInt(at + EntryFormat.BATCH_LENGTH);
    }

    /** The buffer that holds the entry until the next move. */
    ByteBuf buffer() {
        return window;
    }

    /** Where the state section begins in {@link #buffer()}. */
    int stateAt() {
        return at + EntryFormat.HEADER_BYTES;
    }

    /** Where the batch begins in {@link #buffer()}. */
    int batchAt() {
        return stateAt() + stateBytes();
    }

    /** Whether the batch's own checksum and length are right; there must be one. */
    boolean batchIntact() {
        int batch = batchAt();
        int bytes = batchBytes();
        if (RecordBatch.totalBytes(window, batch) != bytes) {
            return false;
        }
        crc.reset();
        EntryFormat.update(crc, window, batch + RecordBatch.CRC_START, bytes - RecordBatch.CRC_START);
        return (int) crc.getValue() == RecordBatch.crc(window, batch);
    }

    /** The sequence that the entry after the current one must have. */
    long nextSequence() {
        return expected;
    }

    /** Position behind the last valid entry so far. */
    long end() {
        return end;
    }

    /** Position behind the last valid entry and the documents of Chronicle that follow it. */
    long tail() {
        return tail;
    }

    /** What was skipped so far, in order. */
    List<Hole> holes() {
        return holes;
    }

    @Override
    public void close() {
        BufferUtil.free(memory);
    }
}
