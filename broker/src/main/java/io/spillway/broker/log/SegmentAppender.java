package io.spillway.broker.log;

import io.netty.buffer.ByteBuf;
import io.spillway.broker.base.SpillwayException;
import io.spillway.protocol.Code;
import io.spillway.protocol.RecordBatch;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.zip.CRC32C;
import net.openhft.chronicle.bytes.Bytes;
import net.openhft.chronicle.bytes.SyncMode;
import net.openhft.chronicle.core.io.BackgroundResourceReleaser;
import net.openhft.chronicle.queue.ExcerptAppender;
import net.openhft.chronicle.queue.impl.single.SingleChronicleQueue;
import net.openhft.chronicle.queue.impl.single.SingleChronicleQueueBuilder;
import net.openhft.chronicle.wire.DocumentContext;
import org.agrona.UnsafeApi;
import org.agrona.concurrent.UnsafeBuffer;
import org.jspecify.annotations.Nullable;

/**
 * The write side: Chronicle Queue over the directory of the active segment. Chronicle makes an entry visible only when
 * it is complete, so a process that dies in the middle leaves nothing. Its directory holds no closed segment, so that
 * nothing in an old file can keep it from opening (docs/decisions/0010). Confined to the shard thread.
 */
final class SegmentAppender implements AutoCloseable {
    /** Space at the end of a segment for Chronicle's index and end mark, and at its start for its header. */
    static final int RESERVED_BYTES = 16 << 10;

    private static final int MILLIS = 1000;
    /** Chronicle refuses a document over a quarter of the block. */
    private static final int LEAST_BLOCK_BYTES = 8 << 20;

    private static final int STAMP_BYTES = RecordBatch.CRC_START;
    private static final DateTimeFormatter FILE_NAME =
            DateTimeFormatter.ofPattern(new SegmentCycle().format()).withZone(ZoneOffset.UTC);

    private final SingleChronicleQueue queue;
    private final ExcerptAppender appender;
    private final UnsafeBuffer target = new UnsafeBuffer(0, 0);
    private final ByteBuffer head = ByteBuffer.allocateDirect(EntryFormat.HEADER_BYTES + STAMP_BYTES);
    private final CRC32C crc = new CRC32C();
    private final int segmentBytes;
    private long number;

    SegmentAppender(Path directory, int segmentBytes) {
        this.segmentBytes = segmentBytes;
        SingleChronicleQueueBuilder builder = SingleChronicleQueueBuilder.single(directory.toFile())
                .rollCycle(new SegmentCycle())
                .timeProvider(() -> number * MILLIS)
                .blockSize(Math.max(segmentBytes, LEAST_BLOCK_BYTES))
                .timeoutMS(MILLIS)
                .syncMode(SyncMode.NONE);
        queue = builder.build();
        if (builder.readOnly()) {
            queue.close();
            throw new SpillwayException(
                    Code.STORAGE_ERROR,
                    "the log in " + directory + " can only be opened for reading",
                    "Chronicle Queue cannot lock its files, usually because the Java options it needs are missing",
                    "start the broker with bin/spillway, which passes them");
        }
        appender = queue.createAppender();
        appender.singleThreadedCheckDisabled(true);
    }

    /** The file of a segment while it is written. */
    static Path file(Path directory, int number) {
        return directory.resolve(FILE_NAME.format(Instant.ofEpochSecond(number)) + LogFiles.SEGMENT_SUFFIX);
    }

    /** The number of the segment in a file of Chronicle's directory, or -1 when it is none. */
    static int number(Path file) {
        String name = String.valueOf(file.getFileName());
        if (!name.endsWith(LogFiles.SEGMENT_SUFFIX)) {
            return -1;
        }
        try {
            String time = name.substring(0, name.length() - LogFiles.SEGMENT_SUFFIX.length());
            return Math.toIntExact(FILE_NAME.parse(time, Instant::from).getEpochSecond());
        } catch (java.time.DateTimeException | ArithmeticException e) {
            return -1;
        }
    }

    /** Ends the current segment and goes on in this one, whose prepared file must be in place. */
    void roll(int segmentNumber) {
        number = segmentNumber;
        DocumentContext document = appender.writingDocument();
        SegmentPages.noReadAhead(document.wire().bytes().addressForWrite(0), segmentBytes);
        document.rollbackOnClose();
        document.close();
    }

    /**
     * Writes one entry and returns the position of its body in the segment. The caller has made sure that it fits. If
     * this throws, the entry does not exist and nothing may be appended any more.
     */
    long append(long sequence, int flags, int partitionId, byte @Nullable [] state, @Nullable ByteBuf batch) {
        int stateBytes = state == null ? 0 : state.length;
        int batchBytes = batch == null ? 0 : batch.readableBytes();
        int entryBytes = EntryFormat.HEADER_BYTES + stateBytes + batchBytes;
        DocumentContext document = appender.writingDocument();
        boolean complete = false;
        try {
            Bytes<?> bytes = document.wire().bytes();
            long position = bytes.writePosition();
            bytes.writePosition(position + entryBytes);
            target.wrap(bytes.addressForWrite(position), entryBytes);
            head.clear();
            head.putInt(EntryFormat.VERSION_AT, EntryFormat.VERSION << 24 | flags << 16);
            head.putInt(EntryFormat.PARTITION, partitionId);
            head.putInt(EntryFormat.STATE_LENGTH, stateBytes);
            head.putInt(EntryFormat.BATCH_LENGTH, batchBytes);
            head.putLong(EntryFormat.SEQUENCE, sequence);
            head.putInt(EntryFormat.CRC, checksum(state, batch));
            target.putBytes(0, head, 0, EntryFormat.HEADER_BYTES);
            if (state != null) {
                target.putBytes(EntryFormat.HEADER_BYTES, state);
            }
            if (batch != null) {
                copy(batch, EntryFormat.HEADER_BYTES + stateBytes, batchBytes);
            }
            complete = true;
            return position;
        } finally {
            if (!complete) {
                document.rollbackOnClose();
            }
            document.close();
        }
    }

    private int checksum(byte @Nullable [] state, @Nullable ByteBuf batch) {
        crc.reset();
        int stamp = 0;
        if (batch != null) {
            head.position(EntryFormat.HEADER_BYTES).limit(EntryFormat.HEADER_BYTES + STAMP_BYTES);
            batch.getBytes(batch.readerIndex(), head);
            stamp = STAMP_BYTES;
        }
        if (state != null) {
            crc.update(head.limit(EntryFormat.HEADER_BYTES).position(EntryFormat.VERSION_AT));
            crc.update(state);
            crc.update(head.limit(EntryFormat.HEADER_BYTES + stamp).position(EntryFormat.HEADER_BYTES));
        } else {
            crc.update(head.limit(EntryFormat.HEADER_BYTES + stamp).position(EntryFormat.VERSION_AT));
        }
        head.clear();
        return (int) crc.getValue();
    }

    private void copy(ByteBuf batch, int to, int bytes) {
        int from = batch.readerIndex();
        if (batch.hasMemoryAddress()) {
            target.boundsCheck(to, bytes);
            UnsafeApi.copyMemory(batch.memoryAddress() + from, target.addressOffset() + to, bytes);
        } else if (batch.hasArray()) {
            target.putBytes(to, batch.array(), batch.arrayOffset() + from, bytes);
        } else {
            int at = to;
            for (ByteBuffer part : batch.nioBuffers(from, bytes)) {
                int length = part.remaining();
                target.putBytes(at, part, part.position(), length);
                at += length;
            }
        }
    }

    @Override
    public void close() {
        target.wrap(0, 0);
        appender.close();
        // Chronicle unmaps in the background, and complains when the queue is closed in the middle of that
        BackgroundResourceReleaser.releasePendingResources();
        queue.close();
        BackgroundResourceReleaser.releasePendingResources();
    }
}
