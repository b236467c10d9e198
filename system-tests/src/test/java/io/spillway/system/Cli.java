package io.spillway.system;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;

/** One run of the command line in a process of its own. */
record Cli(int exit, String out, String err) {
    static Cli run(String... arguments) throws IOException, InterruptedException {
        Path out = Files.createTempFile("cli", ".out");
        Path err = Files.createTempFile("cli", ".err");
        try {
            Process process = new ProcessBuilder(BuiltBroker.command(arguments))
                    .redirectOutput(out.toFile())
                    .redirectError(err.toFile())
                    .start();
            boolean ended = process.waitFor(60, TimeUnit.SECONDS);
            process.destroyForcibly();
            assertThat(ended)
                    .as("the command ends: %s", String.join(" ", arguments))
                    .isTrue();
            return new Cli(process.exitValue(), Files.readString(out), Files.readString(err));
        } finally {
            Files.delete(out);
            Files.delete(err);
        }
    }

    /** Whether it failed with one line of error in the documented form. */
    boolean isOneLineError(String code) {
        return exit != 0
                && err.lines().count() == 1
                && err.startsWith("error: " + code + ": ")
                && err.contains("; cause: ")
                && err.contains("; next: ");
    }
}
