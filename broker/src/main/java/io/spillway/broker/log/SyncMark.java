package io.spillway.broker.log;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/**
 * The file that remembers up to which sequence everything was forced. It is written after the force and never forced
 * itself: whichever of its versions a power cut leaves is true, only perhaps older. Recovery needs it to tell a hole
 * among synced entries, which is damage, from one behind them, which is the torn tail. Written by the sync thread.
 *
 * <pre>
 * 0 u64 sequence | 8 u64 its complement
 * </pre>
 */
final class SyncMark implements AutoCloseable {
    private static final int BYTES = 2 * Long.BYTES;

    private final FileChannel channel;
    private final ByteBuffer buffer = ByteBuffer.allocateDirect(BYTES);

    SyncMark(Path file) throws IOException {
        channel = FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.READ, StandardOpenOption.WRITE);
    }

    /** The sequence, or -1 when the file has none. */
    long read() throws IOException {
        buffer.clear();
        return channel.read(buffer, 0) < BYTES ? -1 : sequence(buffer);
    }

    /** The sequence in a file that is only to be read, or -1. */
    static long peek(Path file) throws IOException {
        ByteBuffer content = ByteBuffer.wrap(Files.readAllBytes(file));
        return content.remaining() < BYTES ? -1 : sequence(content);
    }

    private static long sequence(ByteBuffer content) {
        long sequence = content.getLong(0);
        return sequence >= 0 && sequence == ~content.getLong(Long.BYTES) ? sequence : -1;
    }

    void write(long sequence) throws IOException {
        buffer.clear();
        buffer.putLong(0, sequence).putLong(Long.BYTES, ~sequence);
        channel.write(buffer, 0);
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
