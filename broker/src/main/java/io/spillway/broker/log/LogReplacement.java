package io.spillway.broker.log;

import java.io.IOException;
import java.nio.channels.FileChannel;
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
 * </pre>
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

    /** Syncs what was gathered and marks it as complete. */
    public void complete() throws IOException {
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
            mark.force(true);
        }
        LogFiles.forceDirectory(incoming);
    }

    /** Makes complete files the log, when there are any; whether there were. Nobody has the log open. */
    public boolean exchange() throws IOException {
        if (!Files.exists(incoming.resolve(COMPLETE))) {
            return false;
        }
        LogExport.delete(replaced);
        if (Files.exists(log)) {
            Files.move(log, replaced, StandardCopyOption.ATOMIC_MOVE);
        }
        Files.move(incoming, log, StandardCopyOption.ATOMIC_MOVE);
        LogFiles.forceDirectory(Objects.requireNonNull(log.toAbsolutePath().getParent()));
        Files.delete(log.resolve(COMPLETE));
        LogExport.delete(replaced);
        return true;
    }
}
