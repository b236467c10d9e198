package io.spillway.broker.log;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.stream.Stream;

/**
 * The files of a log as another node can open them: hard links beside the log, so that nothing is copied, the log goes on
 * meanwhile, and what it deletes stays until the export is closed. What the last segment holds behind its last entry at
 * the time it is read is zero; opening the files cuts an entry that was only half there. Thread-safe.
 */
public final class LogExport implements AutoCloseable {
    private static final int TRIES = 5;
    static final String SUFFIX = ".export-";

    /**
     * One file of it.
     *
     * @param name relative to the log's directory
     * @param active it is still written
     */
    public record FileOf(Path name, Path file, long bytes, boolean active) {}

    private final Path directory;
    private final List<FileOf> files;

    private LogExport(Path directory, List<FileOf> files) {
        this.directory = directory;
        this.files = List.copyOf(files);
    }

    /**
     * Links the files of the log in a directory to a new one beside it. The log may be open, by this process or none.
     */
    public static LogExport of(Path log, String id) throws IOException {
        Path directory = log.resolveSibling(log.getFileName() + SUFFIX + id);
        for (int tries = 1; ; tries++) {
            delete(directory);
            try {
                return link(new LogFiles(log), directory);
            } catch (NoSuchFileException | MovedException e) {
                // A segment was closed or given up between the look into the directory and the link.
                if (tries == TRIES) {
                    throw e;
                }
            }
        }
    }

    static final class MovedException extends IOException {
        private static final long serialVersionUID = 1;

        MovedException() {
            super("the log changed too often while its files were looked at");
        }
    }

    private static LogExport link(LogFiles log, Path directory) throws IOException {
        LogFiles to = new LogFiles(directory);
        Files.createDirectories(to.active());
        Files.createDirectories(to.segments());
        Files.createDirectories(to.snapshots());
        FileTime manifest = Files.getLastModifiedTime(log.manifest());
        List<FileOf> files = new ArrayList<>();
        files.add(link(log, to, log.manifest(), false));
        for (Path segment : log.openSegments().values()) {
            files.add(link(log, to, segment, true));
        }
        for (Path file : LogFiles.list(log.segments())) {
            boolean wanted = LogFiles.number(file, LogFiles.SEGMENT_SUFFIX) >= 0
                    || LogFiles.number(file, LogFiles.FOOTER_SUFFIX) >= 0;
            if (wanted) {
                files.add(link(log, to, file, false));
            }
        }
        for (Path snapshot : new SnapshotStore(log.snapshots()).files()) {
            files.add(link(log, to, snapshot, false));
        }
        if (!Files.getLastModifiedTime(log.manifest()).equals(manifest)) {
            throw new MovedException();
        }
        return new LogExport(directory, files);
    }

    private static FileOf link(LogFiles log, LogFiles to, Path file, boolean active) throws IOException {
        Path name = log.root().relativize(file);
        Path link = Files.createLink(to.root().resolve(name), file);
        return new FileOf(name, link, Files.size(link), active);
    }

    public List<FileOf> files() {
        return files;
    }

    /** Lets the files go. */
    @Override
    public void close() throws IOException {
        delete(directory);
    }

    /** Deletes what a process that ended before it closed its exports left beside a log. */
    public static void deleteStale(Path log) throws IOException {
        for (Path sibling :
                LogFiles.list(Objects.requireNonNull(log.toAbsolutePath().getParent()))) {
            if (String.valueOf(sibling.getFileName()).startsWith(log.getFileName() + SUFFIX)) {
                delete(sibling);
            }
        }
    }

    static void delete(Path tree) throws IOException {
        if (!Files.exists(tree)) {
            return;
        }
        try (Stream<Path> paths = Files.walk(tree)) {
            for (Path path : paths.sorted(java.util.Comparator.reverseOrder()).toList()) {
                Files.deleteIfExists(path);
            }
        }
    }
}
