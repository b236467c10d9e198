package io.spillway.system;

import static org.assertj.core.api.Assertions.assertThat;

import io.spillway.client.ClientBuilder;
import io.spillway.client.SpillwayClient;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.awaitility.Awaitility;
import org.jspecify.annotations.Nullable;

/**
 * A real broker in a process of its own, on a data directory of the test's. Ends with the test, whatever happens. When a
 * start fails, what the broker said is in the exception.
 */
public final class BrokerProcess implements AutoCloseable {
    public static final Duration PATIENCE = Duration.ofSeconds(60);
    private static final Pattern READY = Pattern.compile("spillway ready node=(\\S+) wire=(\\S+) http=(\\S+)");

    private final Path directory;
    private final List<String> prefix;
    private final List<String> settings;
    private @Nullable Process process;
    private String wire = "127.0.0.1:0";
    private String http = "127.0.0.1:0";

    private BrokerProcess(Path directory, List<String> prefix, List<String> settings) {
        this.directory = directory;
        this.prefix = prefix;
        this.settings = settings;
    }

    /** @param settings key=value, as for --set */
    public static BrokerProcess start(Path directory, String... settings) {
        return startUnder(List.of(), directory, settings);
    }

    /** @param prefix a command that runs the broker, such as unshare */
    static BrokerProcess startUnder(List<String> prefix, Path directory, String... settings) {
        BrokerProcess broker = new BrokerProcess(directory, prefix, Arrays.asList(settings));
        broker.start();
        return broker;
    }

    /** The command that runs this class of the test's class path in a process of its own. */
    public static List<String> java(String mainClass, String... arguments) {
        List<String> command = new ArrayList<>();
        command.add(ProcessHandle.current().info().command().orElse("java"));
        command.add("-XX:TieredStopAtLevel=1");
        command.add("-XX:+UseSerialGC");
        command.add("-Xmx256m");
        for (String flag : System.getProperty("spillway.jvm.flags", "").split("\\s+")) {
            if (!flag.isEmpty()) {
                command.add(flag);
            }
        }
        command.addAll(List.of("-cp", System.getProperty("java.class.path"), mainClass));
        command.addAll(List.of(arguments));
        return command;
    }

    /** Starts, or starts again on the same address and data. */
    public void start() {
        try {
            Path out = directory.resolveSibling(directory.getFileName() + ".out");
            Path err = directory.resolveSibling(directory.getFileName() + ".err");
            Files.deleteIfExists(out);
            List<String> command = new ArrayList<>(prefix);
            command.addAll(
                    BuiltBroker.command("serve", "--data-dir", directory.toString(), "--listen", wire, "--http", http));
            settings.forEach(setting -> command.addAll(List.of("--set", setting)));
            Process started = new ProcessBuilder(command)
                    .redirectOutput(out.toFile())
                    .redirectError(ProcessBuilder.Redirect.appendTo(err.toFile()))
                    .start();
            process = started;
            Runtime.getRuntime().addShutdownHook(new Thread(started::destroyForcibly));
            awaitReady(started, out, err);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** The end of its log, for whoever wonders what it does. */
    String saidLast() {
        Path err = directory.resolveSibling(directory.getFileName() + ".err");
        try {
            List<String> lines = Files.readAllLines(err);
            return directory.getFileName() + " said last:\n"
                    + String.join("\n", lines.subList(Math.max(0, lines.size() - 40), lines.size()));
        } catch (IOException e) {
            return "the log of " + directory + " cannot be read: " + e;
        }
    }

    private void awaitReady(Process started, Path out, Path err) {
        Awaitility.await("the broker's ready line").atMost(PATIENCE).until(() -> {
            Matcher ready = READY.matcher(Files.readString(out));
            if (ready.find()) {
                wire = ready.group(2);
                http = ready.group(3);
                return true;
            }
            if (!started.isAlive()) {
                throw new AssertionError("the broker ended with " + started.exitValue() + ": " + Files.readString(err));
            }
            return false;
        });
    }

    public String wire() {
        return wire;
    }

    public String http() {
        return http;
    }

    private Process running() {
        if (process == null) {
            throw new IllegalStateException("the broker does not run");
        }
        return process;
    }

    /** The broker's own process; with a prefix that forks, its youngest descendant. */
    private ProcessHandle target() {
        return running()
                .descendants()
                .reduce((first, second) -> second)
                .orElse(running().toHandle());
    }

    boolean isRunning() {
        return process != null && process.isAlive();
    }

    public void kill9() {
        ProcessHandle target = target();
        target.destroyForcibly();
        running().destroyForcibly();
        Awaitility.await("the killed broker to be gone")
                .atMost(PATIENCE)
                .until(() -> !target.isAlive() && !running().isAlive());
    }

    public void signal(String name) throws IOException, InterruptedException {
        int status = new ProcessBuilder("kill", "-" + name, Long.toString(target().pid()))
                .start()
                .waitFor();
        assertThat(status).as("kill -%s", name).isZero();
    }

    /** Ends it in order and returns the exit code. */
    public int terminate() throws InterruptedException {
        running().destroy();
        assertThat(running().waitFor(PATIENCE.toSeconds(), TimeUnit.SECONDS))
                .as("the broker ends")
                .isTrue();
        return running().exitValue();
    }

    ClientBuilder clientBuilder() {
        return SpillwayClient.builder().endpoints(wire).waitForBroker(PATIENCE).requestTimeout(PATIENCE);
    }

    SpillwayClient client() {
        return clientBuilder().connect();
    }

    @Override
    public void close() {
        if (process != null) {
            process.descendants().forEach(ProcessHandle::destroyForcibly);
            process.destroyForcibly();
        }
    }
}
