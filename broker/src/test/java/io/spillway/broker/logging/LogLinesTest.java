package io.spillway.broker.logging;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** Every warning and every error in the sources says why, and what to do next, in words or by its exception. */
final class LogLinesTest {
    private static final Path SOURCES =
            Path.of(Objects.requireNonNull(System.getProperty("spillway.root")), "broker/src/main/java");
    private static final Pattern CALL = Pattern.compile("LOG\\.(?:warn|error)\\((.*?)\\);\\n", Pattern.DOTALL);
    private static final Pattern LITERAL = Pattern.compile("\"((?:[^\"\\\\]|\\\\.)*)\"");
    /** The last argument is an exception, or the line of an error of ours. */
    private static final Pattern EXCEPTION =
            Pattern.compile("(?s).*,\\s*(?:e|cause|failure|reason|why)(?:\\.toString\\(\\))?\\s*\\)*");

    @Test
    void warningsAndErrorsSayWhyAndWhatNext() throws IOException {
        List<String> silent = new ArrayList<>();
        int calls = 0;
        for (Path source : sources()) {
            Matcher call = CALL.matcher(Files.readString(source));
            while (call.find()) {
                calls++;
                if (!isComplete(call.group(1))) {
                    silent.add(source.getFileName() + ": " + call.group(1).strip());
                }
            }
        }

        assertThat(calls).as("the test sees the calls").isGreaterThan(80);
        assertThat(silent).isEmpty();
    }

    private static List<Path> sources() throws IOException {
        try (Stream<Path> files = Files.walk(SOURCES)) {
            return files.filter(file -> file.toString().endsWith(".java")).toList();
        }
    }

    private static boolean isComplete(String call) {
        StringBuilder pattern = new StringBuilder();
        Matcher literal = LITERAL.matcher(call);
        while (literal.find()) {
            pattern.append(literal.group(1));
        }
        boolean hasException = EXCEPTION.matcher(call).matches();
        boolean isLineOfError = hasException && pattern.toString().endsWith(" {}");
        boolean saysWhy = pattern.indexOf("why=") >= 0 || hasException;
        return saysWhy && (pattern.indexOf("next=") >= 0 || isLineOfError);
    }
}
