package io.spillway.bench.endtoend;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** A broker started the way a person starts it, on free ports. Not thread-safe. */
final class BrokerProcess implements AutoCloseable {
    private static final Pattern READY = Pattern.compile("spillway ready node=\\S+ wire=(\\S+) http=(\\S+)");
    private static final long STOP_SECONDS = 15;

    private final Process process;
    private final String endpoint;
    private final double readyMs;

    private BrokerProcess(Process process, String endpoint, double readyMs) {
        this.process = process;
        this.endpoint = endpoint;
        this.readyMs = readyMs;
    }

    /** Starts {@code command serve} and returns when it says it is ready; its errors go to {@code stderr}. */
    static BrokerProcess start(Path command, Path dataDir, Path stderr) throws IOException {
        long startedNs = System.nanoTime();
        Process process = new ProcessBuilder(List.of(
                        command.toString(),
                        "serve",
                        "--data-dir",
                        dataDir.toString(),
                        "--listen",
                        "127.0.0.1:0",
                        "--http",
                        "127.0.0.1:0"))
                .redirectError(ProcessBuilder.Redirect.appendTo(stderr.toFile()))
                .start();
        try {
            BufferedReader lines =
                    new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8));
            for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                Matcher ready = READY.matcher(line);
                if (ready.find()) {
                    double readyMs = (System.nanoTime() - startedNs) / 1e6;
                    return new BrokerProcess(process, ready.group(1), readyMs);
                }
            }
            throw new IOException("the broker ended before it was ready; see " + stderr);
        } catch (IOException | RuntimeException e) {
            process.destroyForcibly();
            throw e;
        }
    }

    String endpoint() {
        return endpoint;
    }

    /** From spawning the process to its ready line. */
    double readyMs() {
        return readyMs;
    }

    ProcessHandle handle() {
        return process.toHandle();
    }

    /** A line of /proc/PID/status that is given in kB, in MiB: VmRSS, RssAnon, RssFile. */
    double statusMib(String field) throws IOException {
        for (String line : Files.readAllLines(Path.of("/proc", Long.toString(process.pid()), "status"))) {
            if (line.startsWith(field + ":")) {
                return Long.parseLong(line.replaceAll("\\D", "")) / 1024.0;
            }
        }
        throw new IOException("/proc/" + process.pid() + "/status has no " + field);
    }

    /** SIGTERM, and SIGKILL for one that does not end. */
    @Override
    public void close() {
        process.destroy();
        try {
            if (!process.waitFor(STOP_SECONDS, TimeUnit.SECONDS)) {
                process.destroyForcibly().waitFor();
            }
        } catch (InterruptedException e) {
            process.destroyForcibly();
            Thread.currentThread().interrupt();
        }
    }
}
