package io.spillway.client.core;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.spillway.protocol.Vectors;
import java.util.List;
import java.util.Set;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.Test;

/** How a client is; vectors/README.md describes it. */
class HealthVectorsTest {
    private static final Set<String> OF_STEP = Set.of(
            "at_ms",
            "event",
            "gc_cpu_pm",
            "heap_pm",
            "mem_pm",
            "sched_p99_us",
            "psi_mem_some_pm",
            "psi_mem_full_pm",
            "psi_io_full_pm",
            "inflight",
            "max_inflight",
            "app_state",
            "app_util_pm",
            "draining",
            "expect");

    @Test
    void saysHowItIs() {
        Vectors.run("health", Set.of("name", "gc_full_pm", "steps"), one -> {
            HealthMachine machine = new HealthMachine(one.get("gc_full_pm").asInt());
            for (JsonNode step : one.get("steps")) {
                Vectors.knows(step, OF_STEP);
                boolean report = tell(machine, step);
                JsonNode expect = step.get("expect");
                Vectors.knows(expect, Set.of("state", "reasons", "app_util_pm", "handoff", "brake", "report"));
                List<Integer> reasons = StreamSupport.stream(
                                expect.get("reasons").spliterator(), false)
                        .map(JsonNode::asInt)
                        .toList();
                List<Object> is = List.of(
                        machine.state().name(),
                        machine.reasons().stream()
                                .map(HealthMachine.Reason::number)
                                .toList(),
                        machine.utilPm(),
                        machine.handoffRequested(),
                        machine.brakes(),
                        report);
                assertThat(is)
                        .as("%s of %s", step, one.get("name"))
                        .isEqualTo(List.of(
                                expect.get("state").asText(),
                                reasons,
                                expect.get("app_util_pm").asInt(),
                                expect.get("handoff").asBoolean(),
                                expect.get("brake").asBoolean(),
                                expect.get("report").asBoolean()));
            }
        });
    }

    private static boolean tell(HealthMachine machine, JsonNode step) {
        long nowMs = step.get("at_ms").asLong();
        return switch (step.get("event").asText()) {
            case "SAMPLE" -> machine.sample(sample(step), nowMs);
            case "DRAIN" -> machine.drain(step.get("draining").asBoolean(), nowMs);
            case "CONNECTED" -> machine.connected(nowMs);
            case "TIMER" -> machine.timer(nowMs);
            default -> throw new AssertionError("unknown event in " + step);
        };
    }

    /** Shares are unsigned on the wire; what a runtime measures fits an int. */
    private static int pm(JsonNode step, String key) {
        return (int) Math.min(Integer.MAX_VALUE, step.path(key).asLong());
    }

    private static HealthSample sample(JsonNode step) {
        return new HealthSample(
                pm(step, "gc_cpu_pm"),
                new HealthSample.Memory(pm(step, "heap_pm"), pm(step, "mem_pm")),
                pm(step, "sched_p99_us"),
                new HealthSample.Stalls(
                        pm(step, "psi_mem_some_pm"), pm(step, "psi_mem_full_pm"), 0, pm(step, "psi_io_full_pm")),
                new HealthSample.Handlers(pm(step, "inflight"), pm(step, "max_inflight")),
                HealthMachine.State.valueOf(step.path("app_state").asText("READY")),
                step.path("app_util_pm").asLong());
    }
}
