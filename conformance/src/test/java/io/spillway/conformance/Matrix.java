package io.spillway.conformance;

import io.spillway.conformance.scenario.Scenario;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/** What came of each scenario with each choice of languages, and the page that says so. Thread-safe. */
final class Matrix {
    /** What came of one run. */
    enum Result {
        PASSED("pass"),
        FAILED("FAIL"),
        MISSING("no driver");

        private final String word;

        Result(String word) {
            this.word = word;
        }
    }

    private static final String HEAD = """
            # Conformance

            Every scenario of [`conformance/scenarios`](../conformance/scenarios), run against one real broker through the client
            of every language; those with two actors through every ordered pair. [How it works](../conformance/README.md).

                mvn -pl conformance -am verify -Dconformance.languages=java,go,rust

            This page is written by the same run with `-Ddocs.rewrite=true`: the results are those of that run.
            """;

    private final List<String> languages;
    private final Map<String, Result> results = new ConcurrentHashMap<>();

    Matrix(List<String> languages) {
        this.languages = languages;
    }

    /** The choices of languages for so many actors: each one, or each ordered pair. */
    static List<List<String>> choices(List<String> languages, int actors) {
        if (actors == 1) {
            return languages.stream().map(List::of).toList();
        }
        List<List<String>> pairs = new ArrayList<>();
        for (String first : languages) {
            languages.forEach(second -> pairs.add(List.of(first, second)));
        }
        return pairs;
    }

    static String title(List<String> choice) {
        return String.join(" → ", choice);
    }

    void add(Scenario scenario, List<String> choice, Result result) {
        results.put(scenario + title(choice), result);
    }

    private String word(Scenario scenario, List<String> choice) {
        Result result = results.get(scenario + title(choice));
        return result == null ? "not run" : result.word;
    }

    /** How many runs had that result. */
    long count(Result result) {
        return results.values().stream().filter(one -> one == result).count();
    }

    /** The page. */
    String page(List<Scenario> scenarios) {
        return HEAD + "\n" + count(Result.PASSED) + " runs passed, " + count(Result.FAILED) + " failed, "
                + count(Result.MISSING) + " had no driver.\n"
                + table("One client", scenarios, 1)
                + table("Two clients", scenarios, 2);
    }

    private String table(String title, List<Scenario> all, int actors) {
        List<Scenario> scenarios =
                all.stream().filter(one -> one.actors().size() == actors).toList();
        List<List<String>> choices = choices(languages, actors);
        StringBuilder table = new StringBuilder("\n## " + title + "\n\n| scenario | shows |");
        choices.forEach(choice -> table.append(' ').append(title(choice)).append(" |"));
        table.append("\n|---|---|").append("---|".repeat(choices.size())).append('\n');
        for (Scenario scenario : scenarios) {
            table.append(row(scenario));
            choices.forEach(
                    choice -> table.append(' ').append(word(scenario, choice)).append(" |"));
            table.append('\n');
        }
        return table.toString();
    }

    /** The part of a scenario's line that does not depend on results. */
    static String row(Scenario scenario) {
        return "| `" + scenario + "` | " + scenario.what().replace("|", "\\|") + " |";
    }
}
