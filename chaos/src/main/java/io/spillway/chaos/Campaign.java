package io.spillway.chaos;

import com.fasterxml.jackson.databind.ObjectMapper;
import io.spillway.chaos.clients.Programs;
import io.spillway.conformance.driver.Language;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;

/** Round after round. A round that is good leaves a line; one that is not leaves its directory. */
public final class Campaign {
    private final ObjectMapper json = new ObjectMapper();
    private final Options options;
    private final PrintStream out;

    public Campaign(Options options, PrintStream out) {
        this.options = options;
        this.out = out;
    }

    public List<Outcome> run() throws IOException, InterruptedException {
        Files.createDirectories(options.directory());
        List<Language> languages = Programs.build(options.root(), options.languages(), options.directory());
        out.println(options.rounds() + " rounds of " + options.seconds() + " s from seed " + options.seed() + ", "
                + options.mode() + ", clients " + languages + ", in " + options.directory());
        List<Outcome> outcomes = new ArrayList<>();
        for (int i = 1; i <= options.rounds(); i++) {
            Path directory = options.directory().resolve("round-" + i);
            Files.createDirectories(directory);
            Outcome outcome = new Round(options, languages, i, directory).run();
            outcomes.add(outcome);
            tell(outcome, directory);
        }
        out.print(Report.of(outcomes));
        return outcomes;
    }

    private void tell(Outcome outcome, Path directory) throws IOException {
        out.println(outcome.line(options.rounds()));
        Files.writeString(
                options.directory().resolve("rounds.jsonl"),
                json.writeValueAsString(outcome) + "\n",
                StandardOpenOption.CREATE,
                StandardOpenOption.APPEND);
        if (outcome.isGood()) {
            delete(directory);
        } else {
            outcome.violations().forEach(violation -> out.println("  " + violation));
            out.println("  kept: " + directory);
        }
    }

    private static void delete(Path directory) throws IOException {
        try (Stream<Path> all = Files.walk(directory)) {
            for (Path path : all.sorted(Comparator.reverseOrder()).toList()) {
                Files.delete(path);
            }
        }
    }
}
