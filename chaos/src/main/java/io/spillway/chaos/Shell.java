package io.spillway.chaos;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** Commands of the machine. */
public final class Shell {
    private static final long LIMIT_SECONDS = 60;

    /** How one ended, and all it said. */
    public record Result(int exit, String out) {}

    private Shell() {}

    /** Throws when it fails. */
    public static String run(String... command) {
        Result result = attempt(command);
        if (result.exit() != 0) {
            throw new IllegalStateException(
                    "exit " + result.exit() + " of " + String.join(" ", command) + ": " + result.out());
        }
        return result.out();
    }

    public static Result attempt(String... command) {
        try {
            Process process = new ProcessBuilder(List.of(command))
                    .redirectErrorStream(true)
                    .start();
            process.getOutputStream().close();
            String out = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            if (!process.waitFor(LIMIT_SECONDS, TimeUnit.SECONDS)) {
                process.destroyForcibly();
                throw new IllegalStateException("has not ended: " + String.join(" ", command));
            }
            return new Result(process.exitValue(), out);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("interrupted", e);
        }
    }

    /** Whether namespaces and mounts can be had. */
    public static boolean isRoot() {
        return "root".equals(System.getProperty("user.name"));
    }
}
