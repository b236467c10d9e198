package io.spillway.broker.log;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.Objects;
import java.util.stream.Stream;

/**
 * Puts the files of another node's log in the place of a log that is not open. They are gathered beside it; once they are
 * complete and synced a mark says so, and from there the exchange is finished even when a crash comes in between.
 *
 * <pre>
 * shard-0            the log
 * shard-0.incoming   what is gathered; with the file COMPLETE it is what shard-0 is to be
 * shard-0.replaced   the old log, until the exchange is done
 * quarantine/...     the old log, when it is damaged; COMPLETE says where
 * </pre>
 *
 * COMPLETE stays in the new log until {@link #settle}: the agreed log may end before a log that came from elsewhere.
 */
public final class LogReplacement {
    private static final String COMPLETE = "COMPLETE";

    private final Path log;
    private final Path incoming;
    private final Path replaced;

    public LogReplacement(Path log) {
        this.log = log;
        incoming = log.resolveSibling(log.getFileName() + ".incoming");
        replaced = log.resolveSibling(log.getFileName() + ".replaced");
    }

    /** Where the files are gathered; what is left there of an earlier try can be used again. */
    public Path incoming() {
        return incoming;
    }

    /** Deletes what was gathered. */
    public static void clear(Path incoming) throws IOException {
        LogExport.delete(incoming);
    }

    /** Whether the log came from another node, and the broker has not been opened on it since. */
    public boolean isInstalled() {
        return Files.exists(log.resolve(COMPLETE));
    }

    /** Forgets that the log came from elsewhere. */
    public void settle() throws IOException {
        Files.deleteIfExists(log.resolve(COMPLETE));
    }

    /** Syncs what was gathered and marks it as complete; the old log, a part of what comes, is to be deleted. */
    public void complete() throws IOException {
        complete("");
    }

    /** The same; the old log is damaged and is to be kept. */
    public void complete(Quarantine quarantine, String reason, long nowMs) throws IOException {
        complete(quarantine.place(log, reason, nowMs).toString());
    }

    private void complete(String keepOldAt) throws IOException {
        try (Stream<Path> paths = Files.walk(incoming)) {
            for (Path path : paths.toList()) {
                if (Files.isDirectory(path)) {
                    LogFiles.forceDirectory(path);
                } else {
                    LogFiles.force(path);
                }
            }
        }
        try (FileChannel mark =
                FileChannel.open(incoming.resolve(COMPLETE), StandardOpenOption.CREATE, StandardOpenOption.WRITE)) {
            mark.write(ByteBuffer.wrap(keepOldAt.getBytes(StandardCharsets.UTF_8)));
            mark.force(true);
        }
        LogFiles.forceDirectory(incoming);
    }

    /** Makes complete files the log, when there are any; whether there were. Nobody has the log open. */
    public boolean exchange() throws IOException {
        if (!Files.exists(incoming.resolve(COMPLETE))) {
            return false;
        }
        String keepOldAt = Files.readString(incoming.resolve(COMPLETE));
        LogExport.delete(replaced);
        if (Files.exists(log)) {
            if (keepOldAt.isEmpty()) {
                Files.move(log, replaced, StandardCopyOption.ATOMIC_MOVE);
            } else {
                Quarantine.move(log, Path.of(keepOldAt));
            }
        }
        Files.move(incoming, log, StandardCopyOption.ATOMIC_MOVE);
        LogFiles.forceDirectory(Objects.requireNonNull(log.toAbsolutePath().getParent()));
        LogExport.delete(replaced);
        return true;
    }
}
