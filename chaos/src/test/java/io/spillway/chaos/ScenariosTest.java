package io.spillway.chaos;

import static org.assertj.core.api.Assertions.assertThat;

import io.spillway.chaos.scenario.Result;
import io.spillway.chaos.scenario.Suite;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.CleanupMode;
import org.junit.jupiter.api.io.TempDir;

/** The bounded part of {@code make chaos-scenarios}. What this machine cannot do is said and not counted as a failure. */
@Timeout(400)
class ScenariosTest {
    private static final long SEED = Long.getLong("spillway.seed", 1);

    @TempDir(cleanup = CleanupMode.ON_SUCCESS)
    Path directory;

    @Test
    void acksThatAreLostAreAskedForAgain() throws Exception {
        meets("2");
    }

    @Test
    @Tag("slow")
    void theOthersDoWhatTheyAreExpectedTo() throws Exception {
        meets("all");
    }

    private void meets(String scenario) throws Exception {
        Path root = Path.of(System.getProperty("spillway.root", "..")).toAbsolutePath();
        Options options = new Options(root, directory, 0, 0, SEED, Options.Mode.best(), List.of(), 0, List.of());

        List<Result> results = new Suite(options, true, new PrintStream(System.out, true, StandardCharsets.UTF_8))
                .run(List.of(scenario));

        assertThat(results)
                .allSatisfy(result -> assertThat(result.isGood())
                        .as("%s, in %s", result, directory)
                        .isTrue());
    }
}
