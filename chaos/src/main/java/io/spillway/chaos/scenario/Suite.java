package io.spillway.chaos.scenario;

import io.spillway.chaos.Options;
import io.spillway.chaos.Trial;
import io.spillway.chaos.clients.Programs;
import io.spillway.conformance.driver.Language;
import java.io.IOException;
import java.io.PrintStream;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.TreeSet;
import java.util.stream.Stream;

/** The scenarios that were asked for, one after the other, and a table of what came of them. */
public final class Suite {
    private static final List<Scenario> ALL = List.of(
            new LeaderKilled(),
            new AcksLost(),
            new SlowPath(),
            new Flood(),
            new GcThrash(),
            new MemoryPressure(),
            new StoppedConsumer(),
            new BadConsumer(),
            new FullDisk(),
            new SlowSync(),
            new ZoneCut(),
            new RollingRestart());

    private final Options options;
    private final boolean quick;
    private final PrintStream out;

    /** @param quick shorter, for a build */
    public Suite(Options options, boolean quick, PrintStream out) {
        this.options = options;
        this.quick = quick;
        this.out = out;
    }

    /**
     * Plays them and prints the table.
     *
     * @param chosen numbers, or all
     */
    public List<Result> run(List<String> chosen) throws IOException, InterruptedException {
        List<Scenario> scenarios = choose(chosen);
        Files.createDirectories(options.directory());
        List<Language> languages = Programs.build(options.root(), options.languages(), options.directory());
        Stage.Terms terms = new Stage.Terms(languages, options.seed(), quick, out);
        out.println(scenarios.size() + " scenarios, clients " + languages + ", seed " + options.seed() + ", in "
                + options.directory());
        List<Result> results = new ArrayList<>();
        for (Scenario scenario : scenarios) {
            results.add(play(scenario, terms));
        }
        StringBuilder table = new StringBuilder(Result.HEAD);
        results.forEach(result -> table.append(result.rows()));
        Files.writeString(options.directory().resolve("scenarios.md"), table);
        out.print("\n" + table);
        return results;
    }

    private static List<Scenario> choose(List<String> chosen) {
        if (chosen.contains("all")) {
            return ALL;
        }
        TreeSet<Integer> known =
                new TreeSet<>(ALL.stream().map(Scenario::number).toList());
        for (String one : chosen) {
            if (!one.matches("\\d+") || !known.contains(Integer.parseInt(one))) {
                throw new IllegalArgumentException("there is no scenario " + one + "; there are all, " + known);
            }
        }
        return ALL.stream()
                .filter(scenario -> chosen.contains(Integer.toString(scenario.number())))
                .toList();
    }

    private Result play(Scenario scenario, Stage.Terms terms) throws IOException, InterruptedException {
        String missing = missing(scenario, terms);
        if (!missing.isEmpty()) {
            Figure figure = Figure.notRun("all of it", missing);
            return new Result(scenario.number(), scenario.name(), "nothing", 0, List.of(figure), List.of());
        }
        Path directory = options.directory().resolve("scenario-" + scenario.number());
        if (Files.exists(directory)) {
            delete(directory); // of an earlier run
        }
        Files.createDirectories(directory);
        Result result;
        try (Stage stage = new Stage(scenario, terms, plan(scenario, directory), directory)) {
            result = play(scenario, stage);
        }
        if (result.isGood()) {
            delete(directory);
        } else {
            result.notes().forEach(note -> out.println("  " + note));
            out.println("  kept: " + directory);
        }
        return result;
    }

    private static Result play(Scenario scenario, Stage stage) throws InterruptedException {
        try {
            scenario.play(stage);
            stage.end();
            return stage.result(scenario, null);
        } catch (RuntimeException e) {
            StringWriter trace = new StringWriter();
            e.printStackTrace(new PrintWriter(trace, true));
            stage.note(trace.toString());
            return stage.result(scenario, e);
        }
    }

    private Trial.Plan plan(Scenario scenario, Path directory) {
        Options.Mode mode = switch (scenario.setup().net()) {
            case ANY -> options.mode();
            case PROXIES -> Options.Mode.LOOPBACK;
            case DISKS -> Options.Mode.NETNS;
        };
        return new Trial.Plan(mode, scenario.setup().clients(), scenario.terms(options.root(), directory));
    }

    /** What it needs and is not here; empty = nothing. */
    private String missing(Scenario scenario, Stage.Terms terms) {
        if (scenario.setup().net() == Scenario.Net.DISKS && options.mode() != Options.Mode.NETNS) {
            return "it needs namespaces and file systems, and thus root";
        }
        for (String client : scenario.setup().clients()) {
            if (terms.languages().stream().noneMatch(language -> client.startsWith(language.name()))) {
                return "there is no client " + client + " here";
            }
        }
        return scenario.missing();
    }

    private static void delete(Path directory) throws IOException {
        try (Stream<Path> all = Files.walk(directory)) {
            for (Path path : all.sorted(Comparator.reverseOrder()).toList()) {
                Files.delete(path);
            }
        }
    }
}
