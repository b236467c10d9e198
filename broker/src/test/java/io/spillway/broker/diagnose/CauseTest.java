package io.spillway.broker.diagnose;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

final class CauseTest {
    private static final Path ROOT = Path.of(Objects.requireNonNull(System.getProperty("spillway.root")));

    private static List<Cause> withPage() {
        return Arrays.stream(Cause.values())
                .filter(cause -> !cause.runbook().isEmpty())
                .toList();
    }

    @Test
    void everyCauseHasAPageThatNamesItAndSaysWhatToDo() {
        assertThat(withPage()).allSatisfy(cause -> {
            Path page = ROOT.resolve(cause.runbook());
            assertThat(page).exists();
            String text = Files.readString(page);
            assertThat(text).startsWith("# " + cause.name() + "\n").contains("spillway ");
            assertThat(text).contains("## What", "## Why", "## What to do");
        });
    }

    @Test
    void everyPageHasACauseAndIsInTheIndex() throws IOException {
        List<String> pages = withPage().stream()
                .map(cause -> Path.of(cause.runbook()).getFileName().toString())
                .toList();
        Path directory = ROOT.resolve("docs/operations/runbooks");
        String index = Files.readString(directory.resolve("README.md"));
        try (Stream<Path> files = Files.list(directory)) {
            assertThat(files.map(file -> file.getFileName().toString()))
                    .filteredOn(name -> !name.equals("README.md"))
                    .containsExactlyInAnyOrderElementsOf(pages);
        }
        assertThat(pages).allSatisfy(page -> assertThat(index).contains("](" + page + ")"));
    }

    @Test
    void whatIsWrongBelongsToAnAreaAndEveryAreaHasSomething() {
        assertThat(Cause.values()).allSatisfy(cause -> {
            assertThat(cause.isWrong() && cause.area() == Area.WELL).isFalse();
            assertThat(cause.what()).matches("[a-z].*[^.]");
        });
        assertThat(Area.values()).allSatisfy(area -> assertThat(Cause.of(area)).isNotEmpty());
    }
}
