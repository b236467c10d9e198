package io.spillway.broker.log;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.Objects;
import java.util.TreeMap;
import java.util.function.ToIntFunction;
import java.util.stream.Stream;

/** The names of a log's files, and the two file operations that must survive a power cut. */
record LogFiles(Path root) {
    static final String SEGMENT_SUFFIX = ".cq4";
    static final String FOOTER_SUFFIX = ".idx";
    static final String CORRUPT_SUFFIX = ".corrupt";
    static final String TEMPORARY_SUFFIX = ".tmp";
    static final String PREPARED_SUFFIX = ".prepared";
    private static final int NUMBER_DIGITS = 10;

    Path active() {
        return root.resolve("active");
    }

    Path segments() {
        return root.resolve("segments");
    }

    Path snapshots() {
        return root.resolve("snapshots");
    }

    Path manifest() {
        return root.resolve("manifest");
    }

    Path synced() {
        return root.resolve("synced");
    }

    Path segment(int number) {
        return segments().resolve(name(number) + SEGMENT_SUFFIX);
    }

    Path footer(int number) {
        return segments().resolve(name(number) + FOOTER_SUFFIX);
    }

    static String name(int number) {
        String digits = Integer.toString(number);
        return "0".repeat(NUMBER_DIGITS - digits.length()) + digits;
    }

    /** The number of a closed segment or footer with this file name, or -1 when it is not one. */
    static int number(Path file, String suffix) {
        String name = String.valueOf(file.getFileName());
        if (name.length() != NUMBER_DIGITS + suffix.length() || !name.endsWith(suffix)) {
            return -1;
        }
        int number = 0;
        for (int i = 0; i < NUMBER_DIGITS; i++) {
            int digit = name.charAt(i) - '0';
            if (digit < 0 || digit > 9 || number > (Integer.MAX_VALUE - digit) / 10) {
                return -1;
            }
            number = number * 10 + digit;
        }
        return number;
    }

    /** The closed segments by number. */
    TreeMap<Integer, Path> closedSegments() throws IOException {
        return numbered(segments(), file -> number(file, SEGMENT_SUFFIX));
    }

    /** The segments in Chronicle's directory by number: the one being written and those not yet closed. */
    TreeMap<Integer, Path> openSegments() throws IOException {
        return numbered(active(), SegmentAppender::number);
    }

    private static TreeMap<Integer, Path> numbered(Path directory, ToIntFunction<Path> numberOf) throws IOException {
        TreeMap<Integer, Path> found = new TreeMap<>();
        for (Path file : list(directory)) {
            int number = numberOf.applyAsInt(file);
            if (number >= 0) {
                found.put(number, file);
            }
        }
        return found;
    }

    static List<Path> list(Path directory) throws IOException {
        if (!Files.isDirectory(directory)) {
            return List.of();
        }
        try (Stream<Path> list = Files.list(directory)) {
            return list.sorted().toList();
        }
    }

    /** Makes file names created, renamed or deleted in a directory survive a power cut. */
    static void forceDirectory(Path directory) throws IOException {
        try (FileChannel channel = FileChannel.open(directory, StandardOpenOption.READ)) {
            channel.force(true);
        }
    }

    /** Replaces a file so that, whatever happens, either the old or the new content is there afterwards. */
    static void replace(Path file, ByteBuffer... content) throws IOException {
        write(file, true, content);
        forceDirectory(Objects.requireNonNull(file.toAbsolutePath().getParent()));
    }

    /** Replaces a file so that no reader of this machine sees half of it; a power cut may lose it. */
    static void replaceUnforced(Path file, ByteBuffer content) throws IOException {
        write(file, false, content);
    }

    private static void write(Path file, boolean force, ByteBuffer... content) throws IOException {
        Path temporary = file.resolveSibling(file.getFileName() + TEMPORARY_SUFFIX);
        try (FileChannel channel = FileChannel.open(
                temporary, StandardOpenOption.CREATE, StandardOpenOption.WRITE, StandardOpenOption.TRUNCATE_EXISTING)) {
            for (ByteBuffer part : content) {
                while (part.hasRemaining()) {
                    channel.write(part);
                }
            }
            if (force) {
                channel.force(true);
            }
        } catch (IOException e) {
            deleteAfter(temporary, e);
            throw e;
        }
        Files.move(temporary, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    }

    static void force(Path file) throws IOException {
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
            channel.force(true);
        }
    }

    private static void deleteAfter(Path file, IOException failure) {
        try {
            Files.deleteIfExists(file);
        } catch (IOException e) {
            failure.addSuppressed(e);
        }
    }

    /** Moves a file aside, never over another one, and returns its new place. */
    static Path quarantine(Path file, Path directory) throws IOException {
        for (int i = 0; ; i++) {
            Path aside = directory.resolve(file.getFileName() + (i == 0 ? "" : "." + i) + CORRUPT_SUFFIX);
            if (!Files.exists(aside)) {
                return Files.move(file, aside, StandardCopyOption.ATOMIC_MOVE);
            }
        }
    }
}
