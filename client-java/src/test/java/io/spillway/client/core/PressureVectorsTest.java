package io.spillway.client.core;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.spillway.protocol.Vectors;
import io.spillway.protocol.v1.PressureState;
import java.util.List;
import java.util.Set;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.Test;

/** What a client knows of a broker's pressure; vectors/README.md describes it. */
class PressureVectorsTest {
    private static final Set<String> OF_STEP = Set.of(
            "at_ms",
            "event",
            "seq",
            "state",
            "reasons",
            "scope",
            "retry_after_ms",
            "valid_for_ms",
            "throttle_ms",
            "expect");

    @Test
    void knowsThePressure() {
        Vectors.run("client_pressure", Set.of("name", "steps"), one -> {
            PressureView view = new PressureView(0);
            for (JsonNode step : one.get("steps")) {
                Vectors.knows(step, OF_STEP);
                long nowMs = step.get("at_ms").asLong();
                boolean changed = tell(view, step, nowMs);
                JsonNode expect = step.get("expect");
                Vectors.knows(expect, Set.of("state", "reasons", "scope", "retry_after_ms", "changed"));
                List<Object> is = List.of(
                        view.state(), view.reasons(), view.scope(), Math.max(0, view.gateMs() - nowMs), changed);
                assertThat(is)
                        .as("%s of %s", step, one.get("name"))
                        .isEqualTo(List.of(
                                state(expect),
                                reasons(expect),
                                expect.get("scope").asText(),
                                expect.get("retry_after_ms").asLong(),
                                expect.get("changed").asBoolean()));
            }
        });
    }

    private static boolean tell(PressureView view, JsonNode step, long nowMs) {
        long retryAfterMs = step.path("retry_after_ms").asLong();
        String scope = step.path("scope").asText();
        return switch (step.get("event").asText()) {
            case "CONNECTED" -> view.connected(state(step), nowMs);
            case "SIGNAL" ->
                view.signal(
                        new PressureView.Signal(
                                step.path("seq").asLong(),
                                state(step),
                                reasons(step),
                                scope,
                                retryAfterMs,
                                step.path("valid_for_ms").asLong()),
                        nowMs);
            case "ACK" -> view.ack(state(step), step.path("throttle_ms").asLong(), nowMs);
            case "REFUSED" -> view.refused(state(step), reasons(step), scope, retryAfterMs, nowMs);
            case "TIMER" -> view.timer(nowMs);
            default -> throw new AssertionError("unknown event in " + step);
        };
    }

    private static PressureState state(JsonNode of) {
        return PressureState.valueOf("P_" + of.path("state").asText("NORMAL"));
    }

    private static List<Integer> reasons(JsonNode of) {
        return StreamSupport.stream(of.path("reasons").spliterator(), false)
                .map(JsonNode::asInt)
                .toList();
    }
}
