package io.spillway.broker.log;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;

/** Lists the files of a log. */
final class LogFixtureFiles {
    private LogFixtureFiles() {}

    static List<Path> all(Path shard) {
        try (Stream<Path> tree = Files.walk(shard)) {
            return tree.filter(Files::isRegularFile).sorted().toList();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
