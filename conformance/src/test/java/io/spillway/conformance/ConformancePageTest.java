package io.spillway.conformance;

import static org.assertj.core.api.Assertions.assertThat;

import io.spillway.conformance.scenario.Scenario;
import io.spillway.conformance.scenario.ScenarioFile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;

class ConformancePageTest {
    private static final Path ROOT = Path.of(System.getProperty("spillway.root", ".."));

    @Test
    void thePageListsEveryScenario() throws IOException {
        List<Scenario> scenarios = ScenarioFile.readAll(ROOT.resolve("conformance/scenarios"));

        List<String> rows = Files.readAllLines(ROOT.resolve("docs/conformance.md")).stream()
                .filter(line -> line.startsWith("| `"))
                .map(line -> line.substring(0, line.indexOf(" |", line.indexOf("` | ") + 4) + 2))
                .toList();

        assertThat(rows)
                .as("docs/conformance.md, which a run with -Ddocs.rewrite=true writes anew")
                .containsExactlyInAnyOrderElementsOf(
                        scenarios.stream().map(Matrix::row).toList());
    }
}
