package io.spillway.broker.log;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import net.openhft.posix.OpenFlag;
import net.openhft.posix.PosixAPI;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Gives a file its disk space before it is written through a mapping, where a full disk would be a fault in the middle
 * of a store (on JDK 17 one that loses what was stored just before).
 */
final class Preallocation {
    private static final Logger LOG = LoggerFactory.getLogger(Preallocation.class);
    private static final int PIECE_BYTES = 1 << 20;
    private static final int FIRST_BYTES = 4096;

    private Preallocation() {}

    /** Makes the file exist with this many bytes of disk of its own; false, and no file, when there is no room. */
    static boolean allocate(Path file, long bytes, DiskSpace disk) throws IOException {
        if (disk.usableBytes() < bytes) {
            return false;
        }
        boolean room = false;
        try {
            Files.write(file, new byte[0]);
            if (fallocate(file, bytes)) {
                // else the first store into the mapping waits until the kernel has read ahead megabytes of nothing
                writeZeros(file, FIRST_BYTES);
                room = true;
            } else if (disk.usableBytes() >= bytes) {
                writeZeros(file, bytes);
                room = true;
            }
        } catch (IOException e) {
            LOG.warn(
                    "what=\"a segment could not be allocated\" file={} bytes={} why=\"{}\" next=\"free disk space; it is tried again\"",
                    file,
                    bytes,
                    e.toString());
        }
        if (!room) {
            Files.deleteIfExists(file);
        }
        return room;
    }

    private static boolean fallocate(Path file, long bytes) {
        PosixAPI posix = PosixAPI.posix();
        int descriptor = posix.open(file.toString(), OpenFlag.O_RDWR, 0);
        if (descriptor < 0) {
            return false;
        }
        try {
            return posix.fallocate(descriptor, 0, 0, bytes) == 0;
        } finally {
            posix.close(descriptor);
        }
    }

    /** The way for file systems that cannot reserve space. */
    private static void writeZeros(Path file, long bytes) throws IOException {
        ByteBuffer zeros = ByteBuffer.allocateDirect(PIECE_BYTES);
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
            for (long at = 0; at < bytes; at += PIECE_BYTES) {
                zeros.clear().limit((int) Math.min(PIECE_BYTES, bytes - at));
                while (zeros.hasRemaining()) {
                    channel.write(zeros);
                }
            }
        }
    }
}
