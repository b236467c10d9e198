package io.spillway.chaos;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.CleanupMode;
import org.junit.jupiter.api.io.TempDir;

/** The bounded part of {@code make chaos}: a short round in the best mode that can be had here, the same faults every time. */
@Timeout(400)
class ChaosTest {
    private static final int SECONDS = 8;
    private static final long SEED = Long.getLong("spillway.seed", 1);

    @TempDir(cleanup = CleanupMode.ON_SUCCESS)
    Path directory;

    @Test
    void aRoundViolatesNothing() throws Exception {
        violatesNothing(Options.Mode.best());
    }

    @Test
    @Tag("slow")
    void aRoundOnLoopbackViolatesNothing() throws Exception {
        violatesNothing(Options.Mode.LOOPBACK);
    }

    private void violatesNothing(Options.Mode mode) throws Exception {
        Path root = Path.of(System.getProperty("spillway.root", ".."));
        Options options =
                new Options(root.toAbsolutePath(), directory, 1, SECONDS, SEED, mode, List.of(), 0, List.of());

        List<Outcome> outcomes = new Campaign(options, new PrintStream(System.out, true, StandardCharsets.UTF_8)).run();

        assertThat(outcomes)
                .allSatisfy(outcome -> assertThat(outcome.violations())
                        .as("seed %d, in %s", outcome.seed(), directory)
                        .isEmpty());
    }
}
