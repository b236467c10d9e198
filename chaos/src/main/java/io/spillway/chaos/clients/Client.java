package io.spillway.chaos.clients;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.spillway.chaos.Shell;
import io.spillway.chaos.history.Event;
import io.spillway.chaos.history.Failure;
import io.spillway.chaos.history.History;
import io.spillway.conformance.driver.DriverProcess;
import io.spillway.conformance.driver.Language;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/** One client library in a process of its own, called one call at a time by each of its threads. Thread-safe. */
public final class Client implements AutoCloseable {
    /** The client of every driver has this name in it. */
    public static final String NAME = "c";

    /** Longer than any call may take, also of a process that stood still for a minute. */
    private static final long ANSWER_SECONDS = 120;

    private static final long MIB = 1 << 20;
    private static final long CHURN_LIMIT_BYTES = 64 * MIB;
    private static final long CHURN_ALIVE_BYTES = 24 * MIB;

    private static final ObjectMapper JSON = new ObjectMapper();

    private final String name;
    private final DriverProcess driver;

    private Client(String name, DriverProcess driver) {
        this.name = name;
        this.driver = driver;
    }

    /**
     * Starts the driver of a language.
     *
     * @param name what the history calls it
     * @param prefix what runs a command where the client is
     */
    public static Client start(String name, Language language, List<String> prefix, Path logs) {
        List<String> command = new ArrayList<>(prefix);
        command.addAll(language.command());
        try {
            return new Client(name, DriverProcess.start(command, logs.resolve(name + "-client.err")));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    public String name() {
        return name;
    }

    long pid() {
        return driver.pid();
    }

    /** What its metrics hook has seen so far, by the names of conformance/DRIVER.md. */
    public Counts counts() {
        return Counts.of(call(request("client.events").put("client", NAME)).path("ok"));
    }

    /** Its process stands still, which the history says. */
    public void pause(History history) {
        history.add(at -> new Event.Stopped(at, name));
        Shell.run("kill", "-STOP", Long.toString(pid()));
    }

    public void resume() {
        Shell.run("kill", "-CONT", Long.toString(pid()));
    }

    public static ObjectNode request(String operation) {
        return JSON.createObjectNode().put("op", operation);
    }

    /** From now on its collector never rests, if it is of Go. */
    public void churn() {
        ask(request("process.churn")
                .put("limit_bytes", CHURN_LIMIT_BYTES)
                .put("alive_bytes", CHURN_ALIVE_BYTES)
                .put("goroutines", 2));
    }

    public void calm() {
        ask(request("process.calm"));
    }

    /** What the library answers when nothing goes wrong. */
    public JsonNode ask(ObjectNode request) {
        JsonNode answer = call(request);
        if (!answer.has("ok")) {
            throw new IllegalStateException(
                    request.path("op").asText() + " of " + name + ": " + answer + "; " + driver.logTail());
        }
        return answer.path("ok");
    }

    /** What the library answers: an object with {@code ok} or {@code error}; no answer in time is an error of its own. */
    public JsonNode call(ObjectNode request) {
        String operation = request.path("op").asText();
        try {
            return driver.request(request).get(ANSWER_SECONDS, TimeUnit.SECONDS);
        } catch (TimeoutException e) {
            return failed(operation + " has no outcome after " + ANSWER_SECONDS + " s");
        } catch (ExecutionException e) {
            return failed(operation + ": " + e.getCause());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return failed(operation + ": interrupted");
        }
    }

    private static JsonNode failed(String what) {
        ObjectNode answer = JSON.createObjectNode();
        answer.putObject("error").put("reason", "NO_ANSWER").put("code", 0).put("message", what);
        return answer;
    }

    /** Calls and says in the history when it failed; whether it did not. */
    public boolean succeeds(ObjectNode request, History history) {
        String what = request.path("op").asText();
        JsonNode answer = call(request);
        if (answer.has("error")) {
            Failure failure = Failure.of(answer.path("error"));
            history.add(at -> new Event.Trouble(at, name, what, failure));
            return false;
        }
        return true;
    }

    @Override
    public void close() {
        driver.close();
    }
}
