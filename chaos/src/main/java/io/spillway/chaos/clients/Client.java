package io.spillway.chaos.clients;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
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
    static final String NAME = "c";

    private static final long ANSWER_SECONDS = 60;
    private static final ObjectMapper JSON = new ObjectMapper();

    private final String language;
    private final DriverProcess driver;

    private Client(String language, DriverProcess driver) {
        this.language = language;
        this.driver = driver;
    }

    /**
     * Starts the driver of a language.
     *
     * @param prefix what runs a command where clients are
     */
    public static Client start(Language language, List<String> prefix, Path logs) {
        List<String> command = new ArrayList<>(prefix);
        command.addAll(language.command());
        try {
            return new Client(
                    language.name(), DriverProcess.start(command, logs.resolve(language.name() + "-client.err")));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    public String language() {
        return language;
    }

    public static ObjectNode request(String operation) {
        return JSON.createObjectNode().put("op", operation);
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
    boolean succeeds(ObjectNode request, History history) {
        String what = request.path("op").asText();
        JsonNode answer = call(request);
        if (answer.has("error")) {
            Failure failure = Failure.of(answer.path("error"));
            history.add(at -> new Event.Trouble(at, language, what, failure));
            return false;
        }
        return true;
    }

    @Override
    public void close() {
        driver.close();
    }
}
