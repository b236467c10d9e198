package io.spillway.client.core;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.spillway.protocol.Code;
import io.spillway.protocol.Vectors;
import io.spillway.protocol.v1.PressureState;
import io.spillway.protocol.v1.RetryClass;
import java.util.Objects;
import java.util.Set;
import org.junit.jupiter.api.Test;

class VectorsTest {
    @Test
    void classifiesErrors() {
        Vectors.run(
                "retry_classify",
                Set.of("code", "kind", "idempotent", "expect", "breaker", "backoff_class", "payload_retry", "note"),
                one -> {
                    Code code = Code.of(one.get("code").asInt());
                    RetryClass payload = one.has("payload_retry")
                            ? RetryClass.valueOf(
                                    "RETRY_" + one.get("payload_retry").asText())
                            : RetryClass.RETRY_NEVER;

                    RetryClassifier.Decision decision = RetryClassifier.classify(
                            payload,
                            code,
                            RetryClassifier.Kind.valueOf(one.get("kind").asText()),
                            one.get("idempotent").asBoolean());

                    assertThat(decision.name())
                            .as("%s", one)
                            .isEqualTo(one.get("expect").asText());
                    if (one.has("breaker")) {
                        Objects.requireNonNull(code);
                        assertThat(code.breaker().name())
                                .isEqualTo(one.get("breaker").asText());
                        String backoff = code.backoff() == Code.Backoff.NONE
                                ? "-"
                                : code.backoff().name();
                        assertThat(backoff).isEqualTo(one.get("backoff_class").asText());
                    }
                });
    }

    @Test
    void backsOff() {
        Vectors.run("backoff", Set.of("cls", "retry_no", "r", "retry_after_ms", "remaining_ms", "expect"), one -> {
            long delay = Backoff.REQUESTS.delayMs(
                    Code.Backoff.valueOf(one.get("cls").asText()),
                    one.get("retry_no").asInt(),
                    one.get("r").asInt(),
                    one.get("retry_after_ms").asLong(0),
                    one.get("remaining_ms").asLong());

            JsonNode expect = one.get("expect");
            if (expect.get("decision").asText().equals("RETRY")) {
                assertThat(delay).as("%s", one).isEqualTo(expect.get("delay_ms").asLong());
            } else {
                assertThat(delay).as("%s", one).isEqualTo(Backoff.NO_TIME);
            }
        });
    }

    @Test
    void budgetsRetries() {
        Vectors.run("retry_budget", Set.of("name", "initial_tokens", "steps"), one -> {
            RetryBudget budget = new RetryBudget(one.get("initial_tokens").asInt());
            int held = 0;
            for (JsonNode step : one.get("steps")) {
                Vectors.knows(step, Set.of("event", "cls", "expect"));
                JsonNode expect = step.get("expect");
                if (step.get("event").asText().equals("OK")) {
                    budget.onSuccess(held);
                    held = 0;
                } else {
                    int cost = budget.take(Code.Backoff.valueOf(step.get("cls").asText()));
                    held = cost > 0 ? cost : held;
                    assertThat(cost > 0 ? "RETRY" : "FAIL_BUDGET")
                            .as("%s", one)
                            .isEqualTo(expect.get("decision").asText());
                }
                assertThat(budget.tokens())
                        .as("%s", one)
                        .isEqualTo(expect.get("tokens").asInt());
            }
        });
    }

    @Test
    void breaksCircuits() {
        Vectors.run("breaker", Set.of("name", "steps"), one -> {
            Breaker breaker = new Breaker();
            for (JsonNode step : one.get("steps")) {
                Vectors.knows(step, Set.of("at_ms", "event", "outcome", "latency_ms", "r", "times", "expect"));
                JsonNode expect = step.get("expect");
                if (step.get("event").asText().equals("ALLOW?")) {
                    assertThat(breaker.allow(step.get("at_ms").asLong()))
                            .as("%s in %s", step, one.get("name"))
                            .isEqualTo(expect.get("allowed").asBoolean());
                } else {
                    for (int i = 0; i < step.get("times").asInt(); i++) {
                        record(breaker, step);
                    }
                }
                assertThat(breaker.state().name())
                        .as("%s in %s", step, one.get("name"))
                        .isEqualTo(expect.get("state").asText());
                if (expect.has("open_until_ms")) {
                    assertThat(breaker.openUntilMs())
                            .isEqualTo(expect.get("open_until_ms").asLong());
                }
            }
        });
    }

    private static void record(Breaker breaker, JsonNode step) {
        long atMs = step.get("at_ms").asLong();
        long latencyMs = step.get("latency_ms").asLong();
        if (step.get("outcome").asText().equals("OK")) {
            breaker.onSuccess(atMs, latencyMs);
        } else {
            Code.Breaker outcome = Code.Breaker.valueOf(step.get("outcome").asText());
            breaker.onFailure(atMs, outcome, latencyMs, step.get("r").asInt());
        }
    }

    @Test
    void sizesTheWindow() {
        Vectors.run("window", Set.of("name", "steps"), one -> {
            InFlightWindow window = new InFlightWindow();
            for (JsonNode step : one.get("steps")) {
                Vectors.knows(step, Set.of("at_ms", "event", "inflight", "times", "state", "signal", "expect"));
                switch (step.get("event").asText()) {
                    case "ACK" -> {
                        for (int i = 0; i < step.get("times").asInt(); i++) {
                            window.onAck(step.get("inflight").asInt());
                        }
                    }
                    case "STATE" ->
                        window.onState(
                                PressureState.valueOf("P_" + step.get("state").asText()));
                    case "REFUSED" -> window.onRefused();
                    default ->
                        window.onSignal(
                                InFlightWindow.Signal.valueOf(step.get("signal").asText()),
                                step.get("at_ms").asLong());
                }
                assertThat(window.limit())
                        .as("%s in %s", step, one.get("name"))
                        .isEqualTo(step.get("expect").get("limit").asInt());
            }
        });
    }
}
