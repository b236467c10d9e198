package io.spillway.system;

import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * How the broker of this build is run: where it is packaged, as by {@code mvn verify}, by its launcher and with its class archive,
 * as everybody runs it; where only its classes are compiled, from the test's class path.
 */
final class BuiltBroker {
    private static final String JAR = ".*/broker/target/spillway-broker-[^/]*\\.jar";
    private static final int ARCHIVE_SECONDS = 120;
    /** What starts fast and takes little: a test has many of them. */
    private static final String OPTIONS = "-XX:TieredStopAtLevel=1 -Xmx256m";

    private static final @Nullable Path LAUNCHER = launcher();

    private BuiltBroker() {}

    /** The command that runs the CLI in a process of its own. */
    static List<String> command(String... arguments) {
        if (LAUNCHER == null) {
            return BrokerProcess.java("io.spillway.broker.cli.Main", arguments);
        }
        List<String> command = new ArrayList<>(List.of(
                "env",
                "JAVA_HOME=" + System.getProperty("java.home"),
                "SPILLWAY_JAVA_OPTS=" + OPTIONS,
                LAUNCHER.toString()));
        command.addAll(Arrays.asList(arguments));
        return command;
    }

    private static @Nullable Path launcher() {
        boolean isPackaged = Arrays.stream(System.getProperty("java.class.path").split(File.pathSeparator))
                .anyMatch(entry -> entry.matches(JAR));
        if (!isPackaged) {
            return null;
        }
        Path root = Path.of(Objects.requireNonNull(System.getProperty("spillway.root")));
        makeArchive(root);
        return root.resolve("bin/spillway");
    }

    /** Unless it is there; tests in other processes wait for it. */
    private static void makeArchive(Path root) {
        ProcessBuilder making = new ProcessBuilder(
                        "flock",
                        root.resolve("broker/target/archive.lock").toString(),
                        root.resolve("bin/archive").toString())
                .redirectErrorStream(true);
        making.environment().put("JAVA_HOME", System.getProperty("java.home"));
        try {
            Process process = making.start();
            String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            if (!process.waitFor(ARCHIVE_SECONDS, TimeUnit.SECONDS) || process.exitValue() != 0) {
                process.destroyForcibly();
                throw new IllegalStateException("bin/archive did not make the class archive: " + said);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }
}
