package io.spillway.chaos;

import io.spillway.chaos.scenario.Result;
import io.spillway.chaos.scenario.Suite;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** The command line of the fault injection: {@code make chaos}. Exits with 1 when anything was violated. */
@Command(
        name = "chaos/run",
        mixinStandardHelpOptions = true,
        description =
                "Lets a cluster of three run under faults, with clients in Java, Go and Rust, and checks what came of"
                        + " it.")
public final class Main implements Callable<Integer> {
    @Option(names = "--rounds", defaultValue = "50", description = "How many. Default: ${DEFAULT-VALUE}.")
    private int rounds;

    @Option(names = "--seconds", defaultValue = "60", description = "Of faults in a round. Default: ${DEFAULT-VALUE}.")
    private int seconds;

    @Option(names = "--seed", description = "Of the first round; the next ones count up. Default: by chance.")
    private @Nullable Long seed;

    @Option(
            names = "--mode",
            description =
                    "netns: namespaces and file systems of their own, needs root; loopback: proxies. Default: netns if"
                            + " it can be had.")
    private @Nullable String mode;

    @Option(names = "--faults", split = ",", description = "Only these kinds. Default: all.")
    private List<String> faults = List.of();

    @Option(
            names = "--at-once",
            defaultValue = "0",
            description = "How many faults at a time. Default: one to three by chance.")
    private int atOnce;

    @Option(names = "--languages", split = ",", description = "Of the clients. Default: those that can be built here.")
    private List<String> languages = List.of();

    @Option(
            names = "--scenario",
            split = ",",
            description = "In place of rounds, these of the twelve partial failures, by number, or all.")
    private List<String> scenarios = List.of();

    @Option(names = "--quick", description = "Scenarios that take a minute take a dozen seconds, as in a build.")
    private boolean quick;

    @Option(names = "--directory", description = "Where to work. Default: build/chaos/SEED.")
    private @Nullable Path directory;

    public static void main(String[] arguments) {
        System.exit(new CommandLine(new Main()).execute(arguments));
    }

    @Override
    public Integer call() throws Exception {
        Path root = Path.of(System.getProperty("spillway.root", ".")).toAbsolutePath();
        long first = seed != null ? seed : System.nanoTime() & 0xffffff;
        Path place = directory != null ? directory.toAbsolutePath() : root.resolve("build/chaos/" + first);
        Options.Mode chosen = mode == null || mode.isEmpty()
                ? Options.Mode.best()
                : Options.Mode.valueOf(mode.toUpperCase(Locale.ROOT));
        Options options = new Options(root, place, rounds, seconds, first, chosen, faults, atOnce, languages);
        if (!scenarios.isEmpty()) {
            boolean isGood = new Suite(options, quick, System.out)
                    .run(scenarios).stream().allMatch(Result::isGood);
            return isGood ? 0 : 1;
        }
        boolean isGood = new Campaign(options, System.out).run().stream().allMatch(Outcome::isGood);
        return isGood ? 0 : 1;
    }
}
