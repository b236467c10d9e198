package io.spillway.system.launcher;

import java.io.IOException;
import java.lang.ProcessBuilder.Redirect;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/** One run of a launcher to its end, and all that came of it. */
record Launch(int exitCode, String out, String err) {
    private static final long LIMIT_SECONDS = 60;

    /** Runs it with this Java, but for what the environment says. */
    static Launch of(Path launcher, Path work, Map<String, String> environment, String... arguments) throws Exception {
        Path out = Files.createTempFile(work, "launch", ".out");
        Path err = Files.createTempFile(work, "launch", ".err");
        Process process = start(launcher, out, err, environment, arguments);
        try {
            if (!process.waitFor(LIMIT_SECONDS, TimeUnit.SECONDS)) {
                throw new AssertionError(launcher + " has not ended; it said: " + Files.readString(err));
            }
            return new Launch(process.exitValue(), Files.readString(out), Files.readString(err));
        } finally {
            process.destroyForcibly();
        }
    }

    /** Starts it and does not wait. */
    static Process start(Path launcher, Path out, Path err, Map<String, String> environment, String... arguments)
            throws IOException {
        List<String> command = new ArrayList<>();
        command.add(launcher.toString());
        command.addAll(List.of(arguments));
        ProcessBuilder builder =
                new ProcessBuilder(command).redirectOutput(out.toFile()).redirectError(Redirect.to(err.toFile()));
        builder.environment().keySet().removeIf(name -> name.startsWith("SPILLWAY_"));
        builder.environment().put("JAVA_HOME", System.getProperty("java.home"));
        builder.environment().putAll(environment);
        return builder.start();
    }
}
