package io.spillway.conformance.driver;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.BufferedReader;
import java.io.BufferedWriter;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.OutputStreamWriter;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;

/** A running driver: sends requests, and completes each one's future with its answer. Thread-safe. */
public final class DriverProcess implements AutoCloseable {
    private static final long END_SECONDS = 20;
    private static final int TAIL_LINES = 40;

    private final ObjectMapper json = new ObjectMapper();
    private final AtomicLong lastId = new AtomicLong();
    private final Map<Long, CompletableFuture<JsonNode>> waiting = new ConcurrentHashMap<>();
    private final Process process;
    private final Path log;
    private final BufferedWriter in;

    private DriverProcess(Process process, Path log) {
        this.process = process;
        this.log = log;
        in = new BufferedWriter(new OutputStreamWriter(process.getOutputStream(), StandardCharsets.UTF_8));
    }

    /** @param log where its standard error goes */
    public static DriverProcess start(List<String> command, Path log) throws IOException {
        Process process = new ProcessBuilder(command)
                .redirectError(ProcessBuilder.Redirect.to(log.toFile()))
                .start();
        Runtime.getRuntime().addShutdownHook(new Thread(process::destroyForcibly));
        DriverProcess driver = new DriverProcess(process, log);
        Thread reader = new Thread(driver::read, "driver-answers");
        reader.setDaemon(true);
        reader.start();
        return driver;
    }

    private void read() {
        String end = "its output ended";
        try (BufferedReader out =
                new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8))) {
            for (String line = out.readLine(); line != null; line = out.readLine()) {
                onAnswer(line);
            }
        } catch (IOException | RuntimeException e) {
            end = e.toString();
        }
        String why = "the driver is gone: " + end;
        waiting.values().forEach(answer -> answer.completeExceptionally(new IllegalStateException(why)));
    }

    private void onAnswer(String line) throws IOException {
        JsonNode answer = json.readTree(line);
        CompletableFuture<JsonNode> future = waiting.remove(answer.path("id").asLong());
        if (future == null) {
            throw new IllegalStateException("an answer to nothing: " + line);
        }
        future.complete(answer);
    }

    public long pid() {
        return process.pid();
    }

    /** Sends the request under an id of its own. The future fails when the driver ends before it has answered. */
    public CompletableFuture<JsonNode> request(ObjectNode request) {
        long id = lastId.incrementAndGet();
        request.put("id", id);
        CompletableFuture<JsonNode> answer = new CompletableFuture<>();
        waiting.put(id, answer);
        try {
            synchronized (in) {
                in.write(request.toString());
                in.write('\n');
                in.flush();
            }
        } catch (IOException e) {
            answer.completeExceptionally(e);
        }
        if (!process.isAlive()) {
            answer.completeExceptionally(new IllegalStateException("the driver has ended"));
        }
        return answer;
    }

    /** The last lines of its standard error. */
    public String logTail() {
        try {
            List<String> lines =
                    Files.readString(log, StandardCharsets.ISO_8859_1).lines().toList();
            return String.join("\n", lines.subList(Math.max(0, lines.size() - TAIL_LINES), lines.size()));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Ends its input, which asks it to end, and returns its exit code. Throws when it does not end in time. */
    public int end() throws IOException, InterruptedException {
        in.close();
        if (!process.waitFor(END_SECONDS, TimeUnit.SECONDS)) {
            throw new IllegalStateException("the driver goes on " + END_SECONDS + " s after the end of its input");
        }
        return process.exitValue();
    }

    @Override
    public void close() {
        process.destroyForcibly();
    }
}
