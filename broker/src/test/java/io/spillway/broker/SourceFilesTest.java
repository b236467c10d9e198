package io.spillway.broker;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** What holds for the sources of every module. */
class SourceFilesTest {
    private static final Path ROOT = Path.of(System.getProperty("spillway.root", ".."));
    private static final int MAX_LINES = 500;

    @Test
    void noFileIsLongerThan500Lines() {
        List<String> tooLong = sources()
                .filter(file -> lines(file) > MAX_LINES)
                .map(file -> ROOT.relativize(file) + " has " + lines(file) + " lines")
                .toList();

        assertThat(tooLong).as("files to be split").isEmpty();
    }

    @Test
    void sourcesAreFound() {
        assertThat(sources()).hasSizeGreaterThan(100);
    }

    private static Stream<Path> sources() {
        try (Stream<Path> modules = Files.list(ROOT)) {
            return modules.map(module -> module.resolve("src")).filter(Files::isDirectory).toList().stream()
                    .flatMap(SourceFilesTest::javaFiles);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static Stream<Path> javaFiles(Path directory) {
        try (Stream<Path> files = Files.walk(directory)) {
            return files.filter(file -> file.toString().endsWith(".java")).toList().stream();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static long lines(Path file) {
        try (Stream<String> lines = Files.lines(file)) {
            return lines.count();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
