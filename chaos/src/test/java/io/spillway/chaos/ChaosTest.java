package io.spillway.chaos;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.CleanupMode;
import org.junit.jupiter.api.io.TempDir;

/** The bounded part of {@code make chaos}: two short rounds, one in each mode that can be had here. */
@Timeout(400)
class ChaosTest {
    private static final int SECONDS = 8;
    private static final long SEED = Long.getLong("spillway.seed", System.nanoTime() & 0xffffff);

    @TempDir(cleanup = CleanupMode.ON_SUCCESS)
    Path directory;

    @Test
    void aRoundOnLoopbackViolatesNothing() throws Exception {
        violatesNothing(Options.Mode.LOOPBACK);
    }

    @Test
    void aRoundInNamespacesViolatesNothing() throws Exception {
        assumeTrue(Options.Mode.best() == Options.Mode.NETNS, "namespaces need root");
        violatesNothing(Options.Mode.NETNS);
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
