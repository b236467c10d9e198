package io.spillway.broker.log;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.List;
import java.util.Locale;
import java.util.Objects;

/**
 * Where files go that are damaged and have another copy elsewhere. Nothing here is ever deleted by the broker.
 *
 * <pre>
 * quarantine/20260102T030405.678Z-corrupt-batch/shard-0/...
 * </pre>
 *
 * Thread-safe.
 */
public final class Quarantine {
    private static final DateTimeFormatter TIME =
            DateTimeFormatter.ofPattern("yyyyMMdd'T'HHmmss.SSS'Z'", Locale.ROOT).withZone(ZoneOffset.UTC);
    private static final int MAX_REASON_CHARS = 40;

    private final Path root;

    /** @param root need not be there */
    public Quarantine(Path root) {
        this.root = root;
    }

    /** Moves a file or directory here, in one step, and returns its new place. */
    public Path take(Path what, String reason, long nowMs) throws IOException {
        Path place = place(what, reason, nowMs);
        move(what, place);
        return place;
    }

    /** A new place for a file or directory; nothing is there yet. */
    Path place(Path what, String reason, long nowMs) {
        String name = TIME.format(Instant.ofEpochMilli(nowMs)) + "-" + word(reason);
        for (int i = 0; ; i++) {
            Path place = root.resolve(i == 0 ? name : name + "." + i).resolve(what.getFileName());
            if (!Files.exists(place)) {
                return place;
            }
        }
    }

    private static String word(String reason) {
        String word = reason.toLowerCase(Locale.ROOT).replaceAll("[^a-z0-9]+", "-");
        String cut = word.substring(0, Math.min(MAX_REASON_CHARS, word.length()));
        return cut.replaceAll("^-|-$", "");
    }

    static void move(Path what, Path place) throws IOException {
        Path directory = Objects.requireNonNull(place.getParent());
        Files.createDirectories(directory);
        Files.move(what, place, StandardCopyOption.ATOMIC_MOVE);
        LogFiles.forceDirectory(directory);
        LogFiles.forceDirectory(Objects.requireNonNull(directory.getParent()));
        LogFiles.forceDirectory(Objects.requireNonNull(what.toAbsolutePath().getParent()));
    }

    /** The directories here, oldest first. */
    public List<Path> entries() throws IOException {
        return LogFiles.list(root).stream().filter(Files::isDirectory).toList();
    }
}
