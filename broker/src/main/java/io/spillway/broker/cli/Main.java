package io.spillway.broker.cli;

import java.io.OutputStreamWriter;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import picocli.CommandLine;
import picocli.CommandLine.ParameterException;

/** Runs one command and ends the process with its exit code. An error is one line; --verbose adds the stack trace. */
public final class Main {
    private Main() {}

    public static void main(String[] args) {
        System.exit(run(Console.ofProcess(), args));
    }

    /** Runs one command to its end and returns its exit code. */
    static int run(Console console, String... args) {
        // Looked for by hand: it counts also when the rest of the line cannot be parsed.
        boolean verbose = Arrays.asList(args).contains(SpillwayCommand.VERBOSE);
        CommandLine commands = SpillwayCommand.commandLine(console, args)
                .setOut(new PrintWriter(new OutputStreamWriter(console.out(), StandardCharsets.UTF_8), true))
                .setParameterExceptionHandler((e, rest) -> report(console, usage(e), e, verbose))
                .setExecutionExceptionHandler((e, line, parsed) -> report(console, ErrorLine.of(e), e, verbose));
        return commands.execute(args);
    }

    private static int report(Console console, ErrorLine line, Exception error, boolean verbose) {
        console.endProgress();
        console.err().println(line.text());
        if (verbose) {
            error.printStackTrace(console.err());
        }
        return line.exitCode();
    }

    private static ErrorLine usage(ParameterException error) {
        String command = error.getCommandLine().getCommandSpec().qualifiedName();
        return ErrorLine.of(
                "USAGE",
                command + " cannot be run like that",
                String.valueOf(error.getMessage()),
                "see " + command + " --help",
                error.getCommandLine().getCommandSpec().exitCodeOnInvalidInput());
    }
}
