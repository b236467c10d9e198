package io.spillway.chaos;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.CleanupMode;
import org.junit.jupiter.api.io.TempDir;

/**
 * Those of the ten hard scenarios of docs/reliability.md that need a cluster and clients: one step of the nemesis each, and
 * all rules of the checker.
 */
@Timeout(400)
class HardScenariosTest {
    private static final long SEED = Long.getLong("spillway.seed", System.nanoTime() & 0xffffff);

    @TempDir(cleanup = CleanupMode.ON_SUCCESS)
    Path directory;

    @Test
    void aPowerCutOfAllNodesAtOnceLosesNothingAcked() throws Exception {
        assumeDisks();
        survives("power-all");
    }

    @Test
    @Tag("slow")
    void aNodeThatLostItsUnsyncedTailAndIsNeededForTheMajorityLosesNothing() throws Exception {
        assumeDisks();
        survives("power-one", "pause-leader");
    }

    @Test
    void aChangeOfMembersWithAKillAndAPartitionAtOnceLosesNothing() throws Exception {
        survives("membership", "kill-one", "partition-halves");
    }

    @Test
    @Tag("slow")
    void retriesWithKeysAcrossTheDeathOfTwoLeadersAreStoredOnce() throws Exception {
        survives("kill-leaders");
    }

    @Test
    @Tag("slow")
    void aRestartOfTwoOfThreeUnderLoadEndsTheRefusalsByItself() throws Exception {
        survives("kill-two");
    }

    private static void assumeDisks() {
        assumeTrue(Options.Mode.best() == Options.Mode.NETNS, "file systems for nodes need root");
    }

    private void survives(String... faults) throws Exception {
        Path root = Path.of(System.getProperty("spillway.root", "..")).toAbsolutePath();
        Options options = new Options(
                root, directory, 1, 1, SEED, Options.Mode.best(), List.of(faults), faults.length, List.of());

        List<Outcome> outcomes = new Campaign(options, new PrintStream(System.out, true, StandardCharsets.UTF_8)).run();

        assertThat(outcomes)
                .allSatisfy(outcome -> assertThat(outcome.violations())
                        .as("seed %d, in %s", outcome.seed(), directory)
                        .isEmpty());
    }
}
