package io.spillway.broker.log;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Keeps the newest two folds of the log. A snapshot holds the effect of all entries before its sequence; the caller
 * writes one only when these are synced. Used by one thread at a time, any.
 *
 * <pre>
 *  0 u64 magic | 8 u64 sequence | 16 u32 length | 20 u32 crc32c of what precedes and follows | 24 bytes
 * </pre>
 */
public final class SnapshotStore {
    private static final long MAGIC = 0x53504c57534e5031L; // SPLWSNP1
    private static final int HEAD_BYTES = 24;
    private static final int CRC_AT = 20;
    private static final int KEPT = 2;
    private static final String SUFFIX = ".snapshot";
    private static final int DIGITS = 19;

    private final Path directory;

    SnapshotStore(Path directory) {
        this.directory = directory;
    }

    /** A fold of all entries before the sequence. */
    @SuppressWarnings("ArrayRecordComponent")
    public record Snapshot(long sequence, byte[] bytes) {}

    /** Writes a snapshot and makes it durable, then deletes all but the newest two. */
    public void write(long sequence, byte[] bytes) throws IOException {
        ByteBuffer head = ByteBuffer.allocate(HEAD_BYTES);
        head.putLong(MAGIC).putLong(sequence).putInt(bytes.length);
        head.putInt(checksum(head, bytes)).flip();
        LogFiles.replace(file(sequence), head, ByteBuffer.wrap(bytes));
        List<Path> files = files();
        for (int i = KEPT; i < files.size(); i++) {
            Files.deleteIfExists(files.get(i));
        }
    }

    private Path file(long sequence) {
        String digits = Long.toString(sequence);
        return directory.resolve("0".repeat(DIGITS - digits.length()) + digits + SUFFIX);
    }

    private static int checksum(ByteBuffer head, byte[] bytes) {
        java.util.zip.CRC32C crc = new java.util.zip.CRC32C();
        crc.update(head.array(), 0, CRC_AT);
        crc.update(bytes);
        return (int) crc.getValue();
    }

    /** The newest valid one, or null. */
    public @Nullable Snapshot latest() throws IOException {
        return latest(new ArrayList<>());
    }

    /** The newest valid one; adds a problem for each newer one that is damaged. */
    @Nullable
    Snapshot latest(List<LogProblem> problems) throws IOException {
        for (Path file : files()) {
            ByteBuffer content = ByteBuffer.wrap(Files.readAllBytes(file));
            if (content.remaining() >= HEAD_BYTES && content.getLong(0) == MAGIC) {
                byte[] bytes = new byte[content.remaining() - HEAD_BYTES];
                content.get(HEAD_BYTES, bytes);
                if (content.getInt(16) == bytes.length && checksum(content, bytes) == content.getInt(CRC_AT)) {
                    return new Snapshot(content.getLong(Long.BYTES), bytes);
                }
            }
            problems.add(new LogProblem(
                    LogProblem.Kind.BAD_SNAPSHOT,
                    -1,
                    -1,
                    "snapshot " + file.getFileName() + " does not match its checksum",
                    "nothing to do: an older snapshot and the log are used instead"));
        }
        return null;
    }

    /** All snapshot files, newest first. */
    List<Path> files() throws IOException {
        return LogFiles.list(directory).stream()
                .filter(file -> file.toString().endsWith(SUFFIX))
                .sorted(Comparator.reverseOrder())
                .toList();
    }
}
