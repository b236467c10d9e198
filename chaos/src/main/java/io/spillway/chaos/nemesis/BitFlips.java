package io.spillway.chaos.nemesis;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.Stream;

/** Single bits that turn over in files, where something is written. */
final class BitFlips {
    private static final int FLIPS = 3;
    private static final int TRIES = 10_000;

    private BitFlips() {}

    /** In one file of this directory, which must not be in use; says where. */
    static String in(Path directory, SplittableRandom random) {
        try (Stream<Path> all = Files.walk(directory)) {
            List<Path> files = all.filter(Files::isRegularFile)
                    .filter(BitFlips::hasBytes)
                    .sorted()
                    .toList();
            Path file = files.get(random.nextInt(files.size()));
            return directory.getFileName() + "/" + directory.relativize(file) + " at " + flip(file, random);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static boolean hasBytes(Path file) {
        try {
            return Files.size(file) > 0 && !file.getFileName().toString().endsWith(".lock");
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Only bytes that are not zero: the others may never have been written. */
    private static List<Long> flip(Path path, SplittableRandom random) throws IOException {
        List<Long> places = new ArrayList<>();
        try (RandomAccessFile file = new RandomAccessFile(path.toFile(), "rw")) {
            for (int i = 0; i < TRIES && places.size() < FLIPS; i++) {
                long at = random.nextLong(file.length());
                file.seek(at);
                int value = file.read();
                if (value != 0) {
                    file.seek(at);
                    file.write(value ^ (1 << random.nextInt(8)));
                    places.add(at);
                }
            }
        }
        return places;
    }
}
