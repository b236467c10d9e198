package io.spillway.client.core;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.google.protobuf.ByteString;
import io.spillway.protocol.Code;
import io.spillway.protocol.Vectors;
import io.spillway.protocol.v1.AckItem;
import io.spillway.protocol.v1.PressureState;
import io.spillway.protocol.v1.Segment;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.stream.IntStream;
import java.util.stream.StreamSupport;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** The state machines; vectors/README.md describes them. */
class MachineVectorsTest {
    private static final long NS_PER_MS = 1_000_000;

    @Test
    void ordersEndpoints() {
        Vectors.run("failover", Set.of("name", "zone", "nearest", "candidates", "expect"), one -> {
            List<Candidate> candidates = new ArrayList<>();
            for (JsonNode each : one.get("candidates")) {
                Vectors.knows(
                        each,
                        Set.of("endpoint", "breaker", "zone", "pressure", "draining", "blocked", "failed_ms", "leads"));
                candidates.add(candidate(each));
            }

            List<String> order = Failover.order(candidates, preference(one), 1_000_000).stream()
                    .map(Candidate::endpoint)
                    .toList();

            assertThat(order).as("%s", one.get("name")).isEqualTo(texts(one.get("expect")));
        });
    }

    private static Preference preference(JsonNode one) {
        return new Preference(one.get("zone").asText(), one.path("nearest").asBoolean());
    }

    /** As it is at 1,000,000 ms; a breaker opens with five connection failures in a row, for 5 s with this r. */
    private static Candidate candidate(JsonNode json) {
        Candidate candidate =
                new Candidate(json.get("endpoint").asText(), json.get("zone").asText());
        long openedMs = switch (json.get("breaker").asText()) {
            case "OPEN" -> 999_999;
            case "HALF_OPEN" -> 990_000;
            default -> 0;
        };
        for (int i = 0; openedMs > 0 && i < 5; i++) {
            candidate.breaker.onFailure(openedMs, Code.Breaker.CONN_FAIL, 0, Backoff.MAX_R);
        }
        candidate.pressure = PressureState.valueOf("P_" + json.get("pressure").asText());
        candidate.drainingUntilMs = json.get("draining").asBoolean() ? 1_000_001 : 0;
        candidate.blockedUntilMs = json.get("blocked").asBoolean() ? 1_000_001 : 0;
        candidate.failedMs = json.get("failed_ms").asLong();
        candidate.leads = json.path("leads").asBoolean();
        return candidate;
    }

    @Test
    void keepsConnected() {
        Vectors.run("connection", Set.of("name", "zone", "nearest", "endpoints", "steps"), one -> {
            Map<String, Candidate> candidates = new HashMap<>();
            List<Candidate> inOrder = texts(one.get("endpoints")).stream()
                    .map(endpoint -> new Candidate(endpoint, ""))
                    .toList();
            ConnectionMachine machine = new ConnectionMachine(inOrder, preference(one));
            for (JsonNode step : one.get("steps")) {
                Vectors.knows(
                        step,
                        Set.of(
                                "at_ms",
                                "event",
                                "endpoint",
                                "zone",
                                "pressure",
                                "latency_ms",
                                "r",
                                "code",
                                "redirect",
                                "retry_after_ms",
                                "endpoints",
                                "zones",
                                "grace_ms",
                                "reconnect_after_ms",
                                "publishing",
                                "consuming",
                                "expect"));
                machine.known().forEach(each -> candidates.put(each.endpoint(), each));
                Candidate of = step.has("endpoint")
                        ? candidates.get(step.get("endpoint").asText())
                        : null;
                List<String> actions = tell(machine, step, of).stream()
                        .map(ConnectionMachine.Action::toString)
                        .toList();
                JsonNode expect = step.get("expect");
                Vectors.knows(expect, Set.of("state", "actions", "wake_at_ms", "known"));
                String where = step + " of " + one.get("name");
                assertThat(actions).as(where).isEqualTo(texts(expect.get("actions")));
                assertThat(machine.state().name())
                        .as(where)
                        .isEqualTo(expect.get("state").asText());
                if (expect.has("wake_at_ms")) {
                    assertThat(machine.wakeAtMs())
                            .as(where)
                            .isEqualTo(expect.get("wake_at_ms").asLong());
                }
                if (expect.has("known")) {
                    assertThat(machine.known().stream().map(Candidate::endpoint).toList())
                            .as(where)
                            .isEqualTo(texts(expect.get("known")));
                }
            }
        });
    }

    private static List<ConnectionMachine.Action> tell(
            ConnectionMachine machine, JsonNode step, @Nullable Candidate of) {
        long at = step.get("at_ms").asLong();
        int r = step.path("r").asInt();
        return switch (step.get("event").asText()) {
            case "START" -> {
                machine.know(nodes(step));
                yield machine.start(at, r);
            }
            case "METADATA" -> {
                machine.know(nodes(step));
                yield List.of();
            }
            case "CONNECTED" -> machine.connected(Objects.requireNonNull(of));
            case "HELLO_OK" ->
                machine.helloOk(
                        Objects.requireNonNull(of),
                        new Welcome(step.get("zone").asText(), pressure(step), nodes(step)),
                        step.get("latency_ms").asLong(),
                        at,
                        r);
            case "FAILED" ->
                machine.failed(
                        Objects.requireNonNull(of),
                        new Refusal(
                                Code.of(step.get("code").asInt()),
                                step.path("redirect").asText(),
                                step.path("retry_after_ms").asLong()),
                        at,
                        r);
            case "PRESSURE" -> machine.pressure(pressure(step));
            case "GO_AWAY" ->
                machine.goAway(
                        step.get("grace_ms").asLong(),
                        step.get("reconnect_after_ms").asLong(),
                        texts(step.path("endpoints")),
                        at,
                        r);
            case "NOT_LEADER" -> machine.notLeader(step.path("redirect").asText(), at, r);
            case "LOAD" ->
                machine.load(
                        step.get("publishing").asBoolean(),
                        step.get("consuming").asBoolean(),
                        at,
                        r);
            case "LOST" -> machine.lost(Objects.requireNonNull(of), at, r);
            case "TIMER" -> machine.timer(at, r);
            case "CLOSE" -> machine.close();
            default -> throw new AssertionError("unknown event in " + step);
        };
    }

    private static List<Node> nodes(JsonNode step) {
        List<String> endpoints = texts(step.path("endpoints"));
        return IntStream.range(0, endpoints.size())
                .mapToObj(i ->
                        new Node(endpoints.get(i), step.path("zones").path(i).asText()))
                .toList();
    }

    private static PressureState pressure(JsonNode step) {
        return PressureState.valueOf("P_" + step.get("pressure").asText());
    }

    @Test
    void buffersAcks() {
        JsonNode limits = Vectors.header("ack_buffer").get("config");
        Vectors.run("ack_buffer", Set.of("name", "steps"), one -> {
            AckBuffer<Integer> buffer = new AckBuffer<>(new AckBuffer.Limits(
                    limits.get("max_items").asInt(),
                    limits.get("max_bytes").asInt(),
                    limits.get("max_unsent").asInt()));
            Map<Integer, AckBuffer.Bundle<Integer>> byFirstItem = new HashMap<>();
            for (JsonNode step : one.get("steps")) {
                Vectors.knows(step, Set.of("at_ms", "event", "item", "bytes", "bundle", "until_ms", "expect"));
                long at = step.get("at_ms").asLong();
                List<AckBuffer.Bundle<Integer>> sent = List.of();
                List<AckBuffer.Bundle<Integer>> lost = List.of();
                switch (step.get("event").asText()) {
                    case "OPEN" -> buffer.open();
                    case "LOST" -> buffer.lost();
                    case "TAKE" -> sent = buffer.take(at);
                    case "END" -> lost = buffer.end();
                    case "ADD" ->
                        lost = buffer.add(
                                step.get("item").asInt(), step.get("bytes").asInt());
                    case "ANSWERED" -> buffer.answered(bundle(byFirstItem, step));
                    case "AGAIN" ->
                        buffer.again(
                                bundle(byFirstItem, step), step.get("until_ms").asLong());
                    default -> throw new AssertionError("unknown event in " + step);
                }
                sent.forEach(bundle -> byFirstItem.put(bundle.items().get(0), bundle));
                JsonNode expect = step.get("expect");
                Vectors.knows(expect, Set.of("sent", "lost", "unsent", "under_way"));
                String where = step + " of " + one.get("name");
                assertThat(items(sent)).as(where).isEqualTo(numberLists(expect.get("sent")));
                assertThat(items(lost)).as(where).isEqualTo(numberLists(expect.get("lost")));
                assertThat(buffer.unsent())
                        .as(where)
                        .isEqualTo(expect.get("unsent").asInt());
                assertThat(buffer.underWay())
                        .as(where)
                        .isEqualTo(expect.get("under_way").asInt());
            }
        });
    }

    private static AckBuffer.Bundle<Integer> bundle(Map<Integer, AckBuffer.Bundle<Integer>> known, JsonNode step) {
        return Objects.requireNonNull(known.get(step.get("bundle").asInt()), "a bundle that was never sent");
    }

    @Test
    void drains() {
        Vectors.run("drain", Set.of("name", "scope", "timeout_ms", "steps"), one -> {
            JsonNode steps = one.get("steps");
            Drain drain = new Drain(
                    Drain.Scope.valueOf(one.get("scope").asText()),
                    one.get("timeout_ms").asLong(),
                    0);
            for (JsonNode each : steps) {
                Vectors.knows(each, Set.of("at_ms", "connected", "expect"));
                long at = each.get("at_ms").asLong();
                JsonNode expect = each.get("expect");
                Vectors.knows(expect, Set.of("step", "limit_ms", "cut"));

                Drain.Step step = drain.next(each.get("connected").asBoolean(), at);

                String where = each + " of " + one.get("name");
                assertThat(step.name()).as(where).isEqualTo(expect.get("step").asText());
                assertThat(drain.limitMs(step, at))
                        .as(where)
                        .isEqualTo(expect.get("limit_ms").asLong());
                assertThat(drain.isCut()).as(where).isEqualTo(expect.get("cut").asBoolean());
            }
        });
    }

    @Test
    void settlesLeases() {
        Vectors.run("lease", Set.of("name", "segment", "skip_before", "steps"), one -> {
            JsonNode segment = one.get("segment");
            Vectors.knows(
                    segment, Set.of("base_offset", "count", "selected", "fence", "lease_ms", "attempt", "attempts"));
            LeasedBatch batch = new LeasedBatch(
                    segment(segment),
                    segment.get("count").asInt(),
                    one.get("skip_before").asLong(),
                    0);
            for (JsonNode step : one.get("steps")) {
                Vectors.knows(
                        step, Set.of("at_ms", "event", "index", "from", "outcome", "delay_ms", "lease_ms", "expect"));
                tell(batch, segment.get("count").asInt(), step, step + " of " + one.get("name"));
            }
        });
    }

    private static Segment segment(JsonNode json) {
        Segment.Builder segment = Segment.newBuilder()
                .setBaseOffset(json.get("base_offset").asLong())
                .setFence(json.get("fence").asLong())
                .setLeaseMs(json.get("lease_ms").asInt())
                .setAttempt(json.get("attempt").asInt());
        json.get("attempts").forEach(attempt -> segment.addAttempts(attempt.asInt()));
        if (!json.get("selected").isNull()) {
            BitSet selected = new BitSet();
            json.get("selected").forEach(index -> selected.set(index.asInt()));
            segment.setSelected(ByteString.copyFrom(selected.toByteArray()));
        }
        return segment.build();
    }

    private static void tell(LeasedBatch batch, int count, JsonNode step, String where) {
        long ns = step.get("at_ms").asLong() * NS_PER_MS;
        int index = step.path("index").asInt();
        JsonNode expect = step.get("expect");
        switch (step.get("event").asText()) {
            case "SETTLE" ->
                assertThat(batch.settleOne(
                                index,
                                step.get("outcome").asInt(),
                                step.get("delay_ms").asInt(),
                                ""))
                        .as(where)
                        .isEqualTo(expect.get("counts").asBoolean());
            case "EXTEND" ->
                assertThat(batch.extendOne(index, step.get("lease_ms").asInt(), ns))
                        .as(where)
                        .isEqualTo(expect.get("counts").asBoolean());
            case "REST" ->
                assertThat(batch.settleRest(
                                step.get("from").asInt(),
                                step.get("outcome").asInt(),
                                step.get("delay_ms").asInt(),
                                ""))
                        .as(where)
                        .isEqualTo(expect.get("counts").asBoolean());
            case "COLLECT" -> {
                List<AckItem> items = new ArrayList<>();
                assertThat(batch.collect(items))
                        .as(where)
                        .isEqualTo(expect.get("done").asBoolean());
                assertThat(items.stream().map(MachineVectorsTest::text).toList())
                        .as(where)
                        .isEqualTo(StreamSupport.stream(expect.get("items").spliterator(), false)
                                .map(MachineVectorsTest::text)
                                .toList());
            }
            case "LOOK" -> {
                assertThat(batch.leaseOver(ns))
                        .as(where)
                        .isEqualTo(expect.get("over").asBoolean());
                assertThat(ns <= batch.handOutUntilNs())
                        .as(where)
                        .isEqualTo(expect.get("may_hand_out").asBoolean());
            }
            case "SELECTED" -> {
                int[] selected =
                        IntStream.range(0, count).filter(batch::isSelected).toArray();
                assertThat(selected)
                        .as(where)
                        .containsExactly(numbers(expect.get("indices")).stream()
                                .mapToInt(Integer::intValue)
                                .toArray());
                assertThat(batch.selectedCount()).as(where).isEqualTo(selected.length);
            }
            case "ATTEMPT" ->
                assertThat(batch.attempt(index))
                        .as(where)
                        .isEqualTo(expect.get("attempt").asInt());
            default -> throw new AssertionError("unknown event in " + step);
        }
    }

    private static String text(AckItem item) {
        return item.getFirst() + "-" + item.getLast() + " " + item.getOutcome() + " " + item.getDelayMs();
    }

    private static String text(JsonNode item) {
        return item.get("first") + "-" + item.get("last") + " " + item.get("outcome") + " " + item.get("delay_ms");
    }

    private static List<List<Integer>> items(List<AckBuffer.Bundle<Integer>> bundles) {
        return bundles.stream().map(AckBuffer.Bundle::items).toList();
    }

    private static List<String> texts(JsonNode array) {
        List<String> result = new ArrayList<>();
        array.forEach(each -> result.add(each.asText()));
        return result;
    }

    private static List<Integer> numbers(JsonNode array) {
        List<Integer> result = new ArrayList<>();
        array.forEach(each -> result.add(each.asInt()));
        return result;
    }

    private static List<List<Integer>> numberLists(JsonNode array) {
        List<List<Integer>> result = new ArrayList<>();
        array.forEach(each -> result.add(numbers(each)));
        return result;
    }
}
