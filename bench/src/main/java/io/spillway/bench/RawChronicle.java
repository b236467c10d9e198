package io.spillway.bench;

import io.netty.buffer.ByteBuf;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import net.openhft.chronicle.bytes.Bytes;
import net.openhft.chronicle.bytes.SyncMode;
import net.openhft.chronicle.core.UnsafeMemory;
import net.openhft.chronicle.queue.ChronicleQueue;
import net.openhft.chronicle.queue.ExcerptAppender;
import net.openhft.chronicle.queue.ExcerptTailer;
import net.openhft.chronicle.queue.impl.single.SingleChronicleQueueBuilder;
import net.openhft.chronicle.wire.DocumentContext;
import org.jspecify.annotations.Nullable;

/**
 * Chronicle Queue alone, in this process: one document per batch and nothing else. The limit of what the broker could
 * reach. The appending methods are confined to one thread, each tailer to another.
 */
public final class RawChronicle implements AutoCloseable {
    private static final long BLOCK_BYTES = 64L << 20;

    private final Path directory;
    private final ChronicleQueue queue;
    private final ExcerptAppender appender;
    private @Nullable FileChannel file;

    public RawChronicle(Path directory) {
        this.directory = directory;
        queue = SingleChronicleQueueBuilder.single(directory.toFile())
                .blockSize(BLOCK_BYTES)
                .syncMode(SyncMode.NONE)
                .build();
        appender = queue.createAppender();
    }

    /** Appends the readable bytes of a direct buffer as one document. */
    public void append(ByteBuf batch) {
        try (DocumentContext document = appender.writingDocument()) {
            Bytes<?> bytes = document.wire().bytes();
            int length = batch.readableBytes();
            bytes.ensureCapacity(bytes.writePosition() + length);
            UnsafeMemory.MEMORY.copyMemory(
                    batch.memoryAddress() + batch.readerIndex(), bytes.addressForWrite(bytes.writePosition()), length);
            bytes.writeSkip(length);
        }
    }

    /** Makes everything appended so far survive a power failure. */
    public void force() {
        try {
            if (file == null) {
                file = FileChannel.open(
                        appender.currentFile().toPath(), StandardOpenOption.READ, StandardOpenOption.WRITE);
            }
            file.force(false);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Reads from the first document on. */
    public Tailer tailer() {
        return new Tailer(queue.createTailer());
    }

    /** Copies one document after the other out of the log. Confined to one thread. */
    public static final class Tailer implements AutoCloseable {
        private final ExcerptTailer tailer;

        private Tailer(ExcerptTailer tailer) {
            this.tailer = tailer;
            tailer.singleThreadedCheckDisabled(true);
        }

        /** Replaces the contents of the direct buffer with the next document; false when there is none yet. */
        public boolean next(ByteBuf into) {
            try (DocumentContext document = tailer.readingDocument()) {
                if (!document.isPresent()) {
                    return false;
                }
                Bytes<?> bytes = document.wire().bytes();
                int length = (int) bytes.readRemaining();
                into.clear().ensureWritable(length);
                UnsafeMemory.MEMORY.copyMemory(
                        bytes.addressForRead(bytes.readPosition()), into.memoryAddress(), length);
                into.writerIndex(length);
                return true;
            }
        }

        @Override
        public void close() {
            tailer.close();
        }
    }

    /** Closes the queue and deletes its files. */
    @Override
    public void close() {
        try {
            if (file != null) {
                file.close();
            }
            queue.close();
            Directories.delete(directory);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
