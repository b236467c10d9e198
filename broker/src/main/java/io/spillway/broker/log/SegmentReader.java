package io.spillway.broker.log;

import io.netty.buffer.ByteBuf;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.MappedByteBuffer;
import java.nio.channels.ClosedByInterruptException;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import org.agrona.IoUtil;

/**
 * Reads ranges of one segment file. The active segment is read through a mapping of its own, which costs nothing per
 * small batch; closed ones through positional reads, where a file cut short or a bad sector is an IOException and not a
 * fault in the middle of the process. Confined to the shard thread.
 */
interface SegmentReader extends AutoCloseable {
    /** Appends bytes [position, position + bytes) to {@code out}; throws when the file does not have them. */
    void read(long position, int bytes, ByteBuf out) throws IOException;

    @Override
    void close();

    static SegmentReader mapped(FileChannel channel, long bytes) throws IOException {
        MappedByteBuffer mapping = channel.map(FileChannel.MapMode.READ_ONLY, 0, bytes);
        SegmentPages.noReadAhead(mapping);
        return new Mapped(mapping);
    }

    static SegmentReader open(Path file) throws IOException {
        return new Positional(file);
    }

    /** Through a mapping. */
    final class Mapped implements SegmentReader {
        private final MappedByteBuffer mapping;
        private final ByteBuffer view;

        private Mapped(MappedByteBuffer mapping) {
            this.mapping = mapping;
            this.view = mapping.duplicate();
        }

        @Override
        public void read(long position, int bytes, ByteBuf out) throws IOException {
            if (position < 0 || bytes < 0 || position + bytes > view.capacity()) {
                throw new IOException("no bytes at " + position + " + " + bytes + " of " + view.capacity());
            }
            view.limit((int) position + bytes).position((int) position);
            out.writeBytes(view);
        }

        @Override
        public void close() {
            IoUtil.unmap(mapping);
        }
    }

    /** Through positional reads. */
    final class Positional implements SegmentReader {
        private final Path file;
        private FileChannel channel;

        private Positional(Path file) throws IOException {
            this.file = file;
            this.channel = FileChannel.open(file, StandardOpenOption.READ);
        }

        @Override
        public void read(long position, int bytes, ByteBuf out) throws IOException {
            int start = out.writerIndex();
            boolean interrupted = false;
            int done = 0;
            while (done < bytes) {
                try {
                    int read = out.writeBytes(channel, position + done, bytes - done);
                    if (read < 0) {
                        out.writerIndex(start);
                        throw new IOException("no bytes at " + (position + done) + " of " + file);
                    }
                    done += read;
                } catch (ClosedByInterruptException e) {
                    // an interrupt closes the channel; the read itself is repeated, the interrupt is passed on below
                    interrupted = Thread.interrupted();
                    channel = FileChannel.open(file, StandardOpenOption.READ);
                }
            }
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }

        @Override
        public void close() {
            try {
                channel.close();
            } catch (IOException e) {
                throw new java.io.UncheckedIOException(e);
            }
        }
    }
}
