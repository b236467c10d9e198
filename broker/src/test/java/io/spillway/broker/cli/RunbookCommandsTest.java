package io.spillway.broker.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import picocli.CommandLine;

/** Whoever follows a runbook at night finds the commands and options that it names. */
final class RunbookCommandsTest {
    private static final Path OPERATIONS =
            Path.of(Objects.requireNonNull(System.getProperty("spillway.root")), "docs", "operations");
    private static final Pattern COMMAND = Pattern.compile("`(spillway [^`]*)`");

    private final CommandLine root = SpillwayCommand.commandLine(new Console(
            new ByteArrayInputStream(new byte[0]),
            new ByteArrayOutputStream(),
            new PrintStream(new ByteArrayOutputStream()),
            false));

    @Test
    void theCommandsOfTheRunbooksAreThere() throws IOException {
        List<String> wrong = new ArrayList<>();
        int found = 0;
        try (Stream<Path> pages = Files.list(OPERATIONS.resolve("runbooks"))) {
            for (Path page : pages.toList()) {
                Matcher matcher = COMMAND.matcher(Files.readString(page));
                while (matcher.find()) {
                    found++;
                    String why = fault(matcher.group(1).split("\\s+"));
                    if (!why.isEmpty()) {
                        wrong.add(page.getFileName() + ": " + matcher.group(1) + ": " + why);
                    }
                }
            }
        }

        assertThat(wrong).isEmpty();
        assertThat(found).isGreaterThan(80);
    }

    private String fault(String[] words) {
        CommandLine command = root;
        for (int i = 1; i < words.length; i++) {
            String word = words[i];
            Map<String, CommandLine> below = command.getSubcommands();
            if (word.startsWith("-")) {
                if (command.getCommandSpec().findOption(word) == null) {
                    return "it has no option " + word;
                }
            } else if (below.containsKey(word)) {
                command = below.get(word);
            } else if (!below.isEmpty()
                    && command.getCommandSpec().positionalParameters().isEmpty()
                    && !words[i - 1].startsWith("-")) {
                return "there is no command " + word;
            }
        }
        return "";
    }
}
