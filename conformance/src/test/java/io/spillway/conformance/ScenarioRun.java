package io.spillway.conformance;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.spillway.conformance.driver.Drivers;
import io.spillway.conformance.proxy.FaultProxy;
import io.spillway.conformance.proxy.Proxies;
import io.spillway.conformance.scenario.Scenario;
import io.spillway.conformance.scenario.Step;
import io.spillway.conformance.scenario.ValueMatcher;
import io.spillway.conformance.scenario.Variables;
import io.spillway.system.BrokerProcess;
import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/** One scenario with one language for each of its actors. Confined to one thread. */
final class ScenarioRun implements AutoCloseable {
    private static final AtomicInteger RUNS = new AtomicInteger();
    private static final long REPEAT_MS = 50;
    private static final long CLEAN_UP_S = 15;

    /** An operation that was sent: its answer, and when. */
    private record Asked(CompletableFuture<JsonNode> answer, long atNs, CompletableFuture<Long> answeredNs) {
        static Asked of(CompletableFuture<JsonNode> answer) {
            CompletableFuture<Long> answered = answer.handle((node, error) -> System.nanoTime());
            return new Asked(answer, System.nanoTime(), answered);
        }

        long tookMs() {
            return (answeredNs.join() - atNs) / 1_000_000;
        }
    }

    private final Scenario scenario;
    private final String title;
    private final Transcript transcript = new Transcript();
    private final Variables variables = new Variables();
    private final Map<String, Actor> actors = new LinkedHashMap<>();
    private final Map<String, FaultProxy> proxies = new LinkedHashMap<>();
    private final Map<String, Asked> started = new LinkedHashMap<>();
    private final @Nullable OwnBroker own;
    private final long deadlineNs;

    /** @param languages one for each actor, in their order */
    ScenarioRun(
            Scenario scenario,
            List<String> languages,
            Drivers drivers,
            BrokerProcess broker,
            BrokerProcess other,
            @Nullable OwnBroker own,
            Proxies network)
            throws IOException {
        this.scenario = scenario;
        this.own = own;
        title = scenario + " [" + Matrix.title(languages) + "]";
        deadlineNs = System.nanoTime() + scenario.limit().toNanos();
        String run = "r" + RUNS.incrementAndGet();
        String topic = scenario.name() + "-" + run;
        variables.set("topic", topic);
        variables.set("endpoint", broker.wire());
        variables.set("http", broker.http());
        variables.set("other", other.wire());
        variables.set("nobody", network.addressOfNobody());
        for (String name : scenario.proxies()) {
            FaultProxy proxy = network.open(broker.wire());
            proxies.put(name, proxy);
            variables.set(name, proxy.address());
        }
        for (int i = 0; i < languages.size(); i++) {
            String role = scenario.actors().get(i);
            actors.put(role, new Actor(role, run, drivers.of(languages.get(i)), topic, broker.wire(), transcript));
        }
    }

    /** Throws {@link ScenarioFailed} with the transcript when anything is not as the file says. */
    void run() {
        String at = "before the first step";
        try {
            open();
            for (Step step : scenario.steps()) {
                at = step.toString();
                take(step);
            }
        } catch (AssertionError | Exception e) {
            String what = e.getMessage() == null ? e.toString() : e.getMessage();
            transcript.add("!!", at, what);
            throw new ScenarioFailed(report(at + ": " + what), e);
        }
    }

    private String report(String what) {
        StringBuilder report = new StringBuilder(title + ": " + what + "\n" + transcript);
        actors.forEach((role, actor) -> report.append("\n---- standard error of the driver of ")
                .append(role)
                .append("\n")
                .append(actor.driver().logTail()));
        return report.toString();
    }

    private void open() throws InterruptedException, ExecutionException, TimeoutException {
        for (Map.Entry<String, ObjectNode> client : scenario.clients().entrySet()) {
            ObjectNode settings = (ObjectNode) variables.fill(client.getValue());
            mustBeOk(await(ask(client.getKey(), "client.open", settings)));
        }
        if (scenario.topic() != null) {
            ObjectNode settings = (ObjectNode) variables.fill(scenario.topic());
            mustBeOk(await(ask(scenario.actors().get(0), "topic.create", settings)));
        }
    }

    private static void mustBeOk(JsonNode answer) {
        if (!answer.has("ok")) {
            throw new AssertionError(answer.toString());
        }
    }

    private Asked ask(String who, String operation, ObjectNode arguments) {
        Actor actor = actors.get(who);
        if (actor == null) {
            throw new IllegalArgumentException("there is no actor " + who);
        }
        return Asked.of(actor.request(operation, arguments));
    }

    private JsonNode await(Asked asked) throws InterruptedException, ExecutionException, TimeoutException {
        try {
            return asked.answer().get(Math.max(0, deadlineNs - System.nanoTime()), TimeUnit.NANOSECONDS);
        } catch (TimeoutException e) {
            TimeoutException more = new TimeoutException("no answer within the scenario's limit of "
                    + scenario.limit().toSeconds() + " s");
            more.initCause(e);
            throw more;
        }
    }

    private void take(Step step) throws IOException, InterruptedException, ExecutionException, TimeoutException {
        ObjectNode arguments = (ObjectNode) variables.fill(step.arguments());
        if (step.who().equals(Step.BROKER)) {
            transcript.add("**", "broker", step.what());
            if (own == null) {
                throw new IllegalStateException("the broker is shared");
            }
            own.operate(step.what());
        } else if (proxies.containsKey(step.who())) {
            transcript.add("**", step.who(), step.what() + " " + arguments);
            proxies.get(step.who()).operate(step.what(), arguments);
        } else if (step.who().equals(Step.AWAIT)) {
            check(step, Optional.ofNullable(started.remove(step.what())).orElseThrow());
        } else if (!step.begin().isEmpty()) {
            started.put(step.begin(), ask(step.who(), step.what(), arguments));
        } else if (step.eventuallyMs() > 0) {
            repeat(step, arguments);
        } else {
            check(step, ask(step.who(), step.what(), arguments));
        }
    }

    private void repeat(Step step, ObjectNode arguments)
            throws InterruptedException, ExecutionException, TimeoutException {
        long untilNs = Math.min(deadlineNs, System.nanoTime() + step.eventuallyMs() * 1_000_000);
        while (true) {
            Asked asked = ask(step.who(), step.what(), arguments);
            Optional<String> wrong = wrong(step, await(asked), asked.tookMs());
            if (wrong.isEmpty()) {
                save(step, await(asked));
                return;
            }
            if (System.nanoTime() > untilNs) {
                throw new AssertionError("still after " + step.eventuallyMs() + " ms: " + wrong.get());
            }
            TimeUnit.MILLISECONDS.sleep(REPEAT_MS);
        }
    }

    private void check(Step step, Asked asked) throws InterruptedException, ExecutionException, TimeoutException {
        JsonNode answer = await(asked);
        Optional<String> wrong = wrong(step, answer, asked.tookMs());
        if (wrong.isPresent()) {
            throw new AssertionError(wrong.get());
        }
        save(step, answer);
    }

    private Optional<String> wrong(Step step, JsonNode answer, long tookMs) {
        if (step.tookMs() != null) {
            Optional<String> wrong =
                    ValueMatcher.mismatch(variables.fill(step.tookMs()), JsonNodeFactory.instance.numberNode(tookMs));
            if (wrong.isPresent()) {
                return Optional.of("the time in ms: " + wrong.get());
            }
        }
        JsonNode error = answer.path("error");
        if (step.error() != null) {
            return error.isMissingNode()
                    ? Optional.of("an error is expected, and the answer is " + answer)
                    : ValueMatcher.mismatch(variables.fill(step.error()), error).or(() -> incomplete(error));
        }
        if (!error.isMissingNode()) {
            return Optional.of("an unexpected error: " + error);
        }
        JsonNode ok = answer.path("ok");
        return step.expect() == null ? hiddenFailure(ok) : ValueMatcher.mismatch(variables.fill(step.expect()), ok);
    }

    /** Every error says what to do next. */
    private static Optional<String> incomplete(JsonNode error) {
        boolean complete = error.path("reason").asText().equals("DRIVER")
                || !error.path("message").asText().isEmpty()
                        && !error.path("next_step").asText().isEmpty();
        return complete ? Optional.empty() : Optional.of("the error does not say what to do next: " + error);
    }

    /** Where a step says nothing about records, none may fail. */
    private static Optional<String> hiddenFailure(JsonNode ok) {
        for (JsonNode ack : ok.path("acks")) {
            if (ack.has("error")) {
                return Optional.of("a record failed: " + ack);
            }
        }
        return ok.path("failed").isEmpty() ? Optional.empty() : Optional.of("records failed: " + ok);
    }

    private void save(Step step, JsonNode answer) {
        step.save().forEach((variable, place) -> {
            JsonNode value = answer.path("ok").at("/" + place.replace('.', '/'));
            if (value.isMissingNode()) {
                throw new AssertionError("there is no " + place + " in " + answer);
            }
            variables.set(variable, value);
        });
    }

    /** Closes the clients. Throws when a client cannot be closed in time: even one without a connection must be. */
    @Override
    public void close() {
        proxies.values().forEach(FaultProxy::close);
        try {
            CompletableFuture.allOf(actors.values().stream()
                            .map(actor -> actor.closeClients(JsonNodeFactory.instance.objectNode()))
                            .toArray(CompletableFuture[]::new))
                    .get(CLEAN_UP_S, TimeUnit.SECONDS);
        } catch (InterruptedException | ExecutionException | TimeoutException e) {
            throw new ScenarioFailed(report("its clients are not closed: " + e), e);
        }
    }
}
