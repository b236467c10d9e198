package io.spillway.broker.admin;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** What holds for the files of the console. */
final class ConsoleFilesTest {
    private static final Path FILES =
            Path.of(System.getProperty("spillway.root", ".."), "broker", "src", "main", "resources", "console");

    @Test
    void allFilesThereAreAreServedAndNoOthers() throws IOException {
        assertThat(files()).containsExactlyInAnyOrderElementsOf(ConsoleRoutes.FILES);
    }

    @Test
    void nothingComesFromElsewhereAndNoDataBecomesMarkup() throws IOException {
        for (String file : files()) {
            String text = Files.readString(FILES.resolve(file));
            assertThat(text)
                    .as(file)
                    .doesNotContain("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "<style")
                    .doesNotContainPattern("https?://(?!www\\.w3\\.org/2000/svg)")
                    .doesNotContainPattern("\\sstyle=");
        }
    }

    private static List<String> files() throws IOException {
        try (Stream<Path> all = Files.walk(FILES)) {
            return all.filter(Files::isRegularFile)
                    .map(file -> FILES.relativize(file).toString())
                    .toList();
        }
    }
}
