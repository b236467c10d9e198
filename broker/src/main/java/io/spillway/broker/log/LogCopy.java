package io.spillway.broker.log;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import java.util.function.LongConsumer;
import java.util.stream.Stream;

/**
 * The files of a log, copied to another directory, while the log may be written: first what is still written, as it is at that
 * moment, then what does not change any more. Opening the copy cuts off an entry that was only half there. What is zero is
 * left out of the files. Used once, by one thread.
 */
public final class LogCopy implements AutoCloseable {
    private static final int CHUNK_BYTES = 1 << 20;
    private static final int TRIES = 20;
    private static final long PAUSE_MS = 50;

    private final LogExport export;
    private final Path to;
    private final ByteBuffer chunk = ByteBuffer.allocateDirect(CHUNK_BYTES);
    private int files;
    private long bytes;

    private LogCopy(LogExport export, Path to) {
        this.export = export;
        this.to = to;
    }

    /** Holds the files that there are now, so that what the log deletes meanwhile stays until this is closed. */
    public static LogCopy begin(Path log, Path to) throws IOException {
        deleteAbandoned(log);
        String id = "backup-" + ProcessHandle.current().pid();
        for (int tries = 1; ; tries++) {
            try {
                return new LogCopy(LogExport.of(log, id), to);
            } catch (NoSuchFileException | LogExport.MovedException e) {
                if (tries == TRIES) {
                    throw e;
                }
                pause();
            }
        }
    }

    /** Of backups whose processes ended before they could. */
    private static void deleteAbandoned(Path log) throws IOException {
        String prefix = log.getFileName() + LogExport.SUFFIX + "backup-";
        for (Path sibling :
                LogFiles.list(Objects.requireNonNull(log.toAbsolutePath().getParent()))) {
            String name = String.valueOf(sibling.getFileName());
            if (name.startsWith(prefix)
                    && ProcessHandle.of(Long.parseLong(name.substring(prefix.length())))
                            .isEmpty()) {
                LogExport.delete(sibling);
            }
        }
    }

    private static void pause() throws IOException {
        try {
            TimeUnit.MILLISECONDS.sleep(PAUSE_MS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("it was ended", e);
        }
    }

    /**
     * Copies what is written now.
     *
     * @param taken told of the bytes of each chunk; may wait
     */
    public void copyActive(LongConsumer taken) throws IOException {
        copy(true, taken);
    }

    /** Copies what does not change any more. */
    public void copyRest(LongConsumer taken) throws IOException {
        copy(false, taken);
    }

    private void copy(boolean active, LongConsumer taken) throws IOException {
        for (LogExport.FileOf file : export.files()) {
            if (file.active() == active) {
                Path target = to.resolve(file.name());
                Files.createDirectories(Objects.requireNonNull(target.getParent()));
                copy(file.file(), target, taken);
                files++;
            }
        }
    }

    private void copy(Path from, Path target, LongConsumer taken) throws IOException {
        try (FileChannel in = FileChannel.open(from, StandardOpenOption.READ);
                FileChannel out = FileChannel.open(target, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
            long at = 0;
            long written = 0;
            while (read(in, at)) {
                if (!isZero(chunk)) {
                    for (long place = at; chunk.hasRemaining(); ) {
                        place += out.write(chunk, place);
                    }
                    written = at + chunk.limit();
                    bytes += chunk.limit();
                }
                at += chunk.limit();
                taken.accept(chunk.limit());
            }
            if (written < at) {
                out.write(ByteBuffer.allocate(1), at - 1);
            }
        }
    }

    private boolean read(FileChannel in, long at) throws IOException {
        chunk.clear();
        int read = 0;
        while (chunk.hasRemaining() && read >= 0) {
            read = in.read(chunk, at + chunk.position());
        }
        chunk.flip();
        return chunk.hasRemaining();
    }

    private static boolean isZero(ByteBuffer bytes) {
        int at = bytes.position();
        while (at + Long.BYTES <= bytes.limit()) {
            if (bytes.getLong(at) != 0) {
                return false;
            }
            at += Long.BYTES;
        }
        while (at < bytes.limit()) {
            if (bytes.get(at++) != 0) {
                return false;
            }
        }
        return true;
    }

    /** Files that were copied. */
    public int files() {
        return files;
    }

    /** Bytes that were written for them. */
    public long bytes() {
        return bytes;
    }

    /** Makes everything in a directory survive a power cut. */
    public static void force(Path tree) throws IOException {
        try (Stream<Path> paths = Files.walk(tree)) {
            for (Path path : paths.toList()) {
                if (Files.isDirectory(path)) {
                    LogFiles.forceDirectory(path);
                } else {
                    LogFiles.force(path);
                }
            }
        }
    }

    /** Makes the names in it survive a power cut. */
    public static void forceDirectory(Path directory) throws IOException {
        LogFiles.forceDirectory(directory);
    }

    /** Lets the files go. */
    @Override
    public void close() throws IOException {
        export.close();
    }
}
