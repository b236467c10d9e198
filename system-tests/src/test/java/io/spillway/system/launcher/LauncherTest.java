package io.spillway.system.launcher;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Needs a packaged broker, which {@code mvn verify} makes before these tests. */
@Timeout(180)
final class LauncherTest {
    private static final Path ROOT = Path.of(Objects.requireNonNull(System.getProperty("spillway.root")));
    private static final Path LAUNCHER = ROOT.resolve("bin/spillway");
    private static final Path LIBRARIES = ROOT.resolve("broker/target/dist");
    private static final Duration PATIENCE = Duration.ofSeconds(60);
    private static final long STOP_SECONDS = 10;

    @TempDir
    private Path work;

    @Test
    void aBrokerSaysOneLineAndEndsWithZeroOnSigterm() throws Exception {
        Path out = work.resolve("out");
        Path err = work.resolve("err");
        Process broker = Launch.start(
                LAUNCHER,
                out,
                err,
                Map.of(),
                "serve",
                "--data-dir",
                work.resolve("data").toString(),
                "--listen",
                "127.0.0.1:0",
                "--http",
                "127.0.0.1:0");
        try {
            Awaitility.await("the ready line")
                    .atMost(PATIENCE)
                    .until(() -> Files.readString(out).endsWith("\n") || !broker.isAlive());
            assertThat(out)
                    .content()
                    .matches("spillway ready node=\\S+ wire=127\\.0\\.0\\.1:\\d+ http=127\\.0\\.0\\.1:\\d+\n");

            broker.destroy();

            assertThat(broker.waitFor(STOP_SECONDS, TimeUnit.SECONDS))
                    .as("ended in time after SIGTERM")
                    .isTrue();
            assertThat(broker.exitValue()).isZero();
            assertThat(out).content().hasLineCount(1);
            assertThat(err).content().doesNotContain("WARN", "Exception");
        } finally {
            broker.destroyForcibly();
        }
    }

    @Test
    void runsFromADistributionAnywhere() throws Exception {
        Path launcher = distribution("a place with spaces");

        Launch launch = Launch.of(launcher, work, Map.of(), "--version");

        assertThat(launch.err()).isEmpty();
        assertThat(launch.out()).matches("spillway \\d+\\.\\d+\\.\\S+\n");
        assertThat(launch.exitCode()).isZero();
    }

    @Test
    void passesOverAClassArchiveThatDoesNotFit() throws Exception {
        Path launcher = distribution("dist");
        Path archive = launcher.resolveSibling(
                "../lib/spillway-java" + Runtime.version().feature() + ".jsa");
        Files.writeString(archive, "no archive at all");

        Launch launch = Launch.of(launcher, work, Map.of(), "config", "show");

        assertThat(launch.err()).isEmpty();
        assertThat(launch.out()).startsWith("SETTING ");
        assertThat(launch.exitCode()).isZero();
    }

    @Test
    void passesOptionsToTheJvm() throws Exception {
        Launch launch = Launch.of(
                LAUNCHER,
                work,
                Map.of("SPILLWAY_JAVA_OPTS", "-XX:+PrintCommandLineFlags -Xmx77m"),
                "config",
                "show",
                "--output",
                "json");

        assertThat(launch.out() + launch.err()).contains("MaxHeapSize=" + (77 << 20));
        assertThat(launch.exitCode()).isZero();
    }

    @Test
    void servesWithLessHeapThanItReservesByDefault() throws Exception {
        Launch launch = Launch.of(LAUNCHER, work, Map.of("SPILLWAY_JAVA_OPTS", "-Xmx100m"), "serve", "--help");

        assertThat(launch.err()).isEmpty();
        assertThat(launch.exitCode()).isZero();
    }

    @Test
    void saysHowToBuildWhenNothingIsBuilt() throws Exception {
        Path checkout = Files.createDirectories(work.resolve("checkout"));
        Files.writeString(checkout.resolve("pom.xml"), "");
        Path launcher = copyLauncher(checkout);

        Launch launch = Launch.of(launcher, work, Map.of(), "serve");

        assertThat(launch.exitCode()).isEqualTo(1);
        assertThat(launch.err())
                .isEqualTo("error: NOT_BUILT: there is nothing to run in " + checkout.toRealPath()
                        + "; cause: it was not built yet; next: run make build\n");
    }

    @Test
    void saysThatThereIsNoJava() throws Exception {
        Launch launch = Launch.of(LAUNCHER, work, Map.of("JAVA_HOME", "/nonexistent"), "--version");

        assertThat(launch.exitCode()).isEqualTo(1);
        assertThat(launch.err())
                .isEqualTo("error: NO_JAVA: cannot run /nonexistent/bin/java; cause: there is no such program; next:"
                        + " install Java 17 or newer, or set JAVA_HOME to one\n");
    }

    @Test
    void refusesAJavaThatIsTooOld() throws Exception {
        Path home = Files.createDirectories(work.resolve("jdk-11"));
        Files.createDirectories(home.resolve("bin"));
        executable(home.resolve("bin/java"), "#!/bin/sh\nexit 99\n");
        Files.writeString(home.resolve("release"), "JAVA_VERSION=\"11.0.2\"\n");

        Launch launch = Launch.of(LAUNCHER, work, Map.of("JAVA_HOME", home.toString()), "--version");

        assertThat(launch.exitCode()).isEqualTo(1);
        assertThat(launch.err())
                .contains("error: NO_JAVA: ", " is Java 11; cause: Spillway needs 17 or newer; next: set JAVA_HOME")
                .hasLineCount(1);
    }

    @Test
    void asksAJavaWithoutAReleaseFileForItsVersion() throws Exception {
        Path home = Files.createDirectories(work.resolve("jdk-8"));
        Files.createDirectories(home.resolve("bin"));
        executable(home.resolve("bin/java"), "#!/bin/sh\necho 'openjdk version \"1.8.0_292\"' >&2\n");

        Launch launch = Launch.of(LAUNCHER, work, Map.of("JAVA_HOME", home.toString()), "--version");

        assertThat(launch.exitCode()).isEqualTo(1);
        assertThat(launch.err()).contains(" is Java 1; cause: Spillway needs 17 or newer");
    }

    @Test
    void hasNoAnalyticsOnItsClassPath() throws IOException {
        try (Stream<Path> jars = Files.list(LIBRARIES)) {
            List<String> names = jars.map(jar -> jar.getFileName().toString()).toList();

            assertThat(names).anyMatch(name -> name.startsWith("chronicle-queue-"));
            assertThat(names).noneMatch(name -> name.contains("analytics"));
        }
    }

    /** A launcher with its libraries as `make dist` lays them out. */
    private Path distribution(String name) throws IOException {
        Path home = Files.createDirectories(work.resolve(name));
        Path lib = Files.createDirectories(home.resolve("lib"));
        try (Stream<Path> jars = Files.list(LIBRARIES)) {
            for (Path jar :
                    jars.filter(path -> path.toString().endsWith(".jar")).toList()) {
                Files.copy(jar, lib.resolve(jar.getFileName()));
            }
        }
        return copyLauncher(home);
    }

    private static Path copyLauncher(Path home) throws IOException {
        Path bin = Files.createDirectories(home.resolve("bin"));
        return executable(bin.resolve("spillway"), Files.readString(LAUNCHER));
    }

    private static Path executable(Path file, String text) throws IOException {
        Files.writeString(file, text);
        return Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rwxr-xr-x"));
    }
}
