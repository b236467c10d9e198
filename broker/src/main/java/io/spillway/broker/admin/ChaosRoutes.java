package io.spillway.broker.admin;

import com.fasterxml.jackson.core.JsonGenerator;
import io.spillway.broker.base.Clock;
import io.spillway.broker.base.NearestName;
import io.spillway.broker.catalog.TopicCatalog;
import io.spillway.broker.chaos.Fault;
import io.spillway.broker.chaos.FaultKind;
import io.spillway.broker.chaos.FaultScope;
import io.spillway.broker.chaos.Faults.Injected;
import io.spillway.broker.session.ChaosControl;
import io.spillway.protocol.Code;
import java.io.IOException;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.function.Supplier;

/** {@code GET /chaos}, {@code POST /chaos/start} and {@code /chaos/stop}, in JSON. Thread-safe. */
final class ChaosRoutes {
    static final String ROOT = "/chaos";

    private static final int MAX_TEXT = 1_024;
    private static final ChangeRules RULES = new ChangeRules("faults are", "chaos", "gameday");
    private static final ChangeRoutes ROUTES = new ChangeRoutes(
            ROOT,
            RULES,
            "start and stop",
            Map.of(
                    "start",
                    Set.of(
                            "kind",
                            "topic",
                            "principal",
                            "domain",
                            "peer",
                            "node",
                            "percent",
                            "delay_ms",
                            "code",
                            "ttl_ms",
                            "reason",
                            "timeout_ms"),
                    "stop",
                    Set.of("id", "reason", "timeout_ms")));

    private final ChaosControl chaos;
    private final Supplier<String> node;
    private final Supplier<TopicCatalog> catalog;
    private final Clock clock;

    /** @param node the id of this one */
    ChaosRoutes(ChaosControl chaos, Supplier<String> node, Supplier<TopicCatalog> catalog, Clock clock) {
        this.chaos = chaos;
        this.node = node;
        this.clock = clock;
        this.catalog = catalog;
    }

    static boolean areFor(String path) {
        return ROUTES.areFor(path);
    }

    CompletableFuture<Answer> answer(AdminRequest request) {
        String who = who(text(request.query(), AdminRequest.BY), request.peer());
        return ROUTES.answer(request, this::show, (change, query) -> perform(change, query, who));
    }

    /** A peer who has proved who he is has that with his address. */
    private static String who(String by, String peer) {
        return by.isEmpty() || peer.contains("@") ? "http " + peer : by + " @ http " + peer;
    }

    private CompletableFuture<String> perform(String change, Map<String, String> query, String who) {
        return change.equals("start")
                ? chaos.start(wanted(query, who))
                        .thenApply(fault -> JsonObject.of(json -> {
                            json.writeStringField("done", change);
                            json.writeStringField("node", node.get());
                            fields(json, fault);
                        }))
                : chaos.stop(text(query, "id"), who, text(query, "reason"))
                        .thenApply(ended -> JsonObject.of(json -> {
                            json.writeStringField("done", change);
                            json.writeStringField("node", node.get());
                            json.writeArrayFieldStart("ended");
                            for (Fault fault : ended) {
                                json.writeStartObject();
                                fields(json, fault);
                                json.writeEndObject();
                            }
                            json.writeEndArray();
                        }));
    }

    private ChaosControl.Wanted wanted(Map<String, String> query, String who) {
        FaultKind kind = kind(text(query, "kind"));
        if (!text(query, "topic").isEmpty()) {
            // One that is not there would be hit by nothing, and nobody would know why.
            catalog.get().get(text(query, "topic"));
        }
        String peer = text(query, "peer");
        FaultScope scope = new FaultScope(
                text(query, "topic"),
                text(query, "principal"),
                text(query, "domain"),
                peer.isEmpty() ? List.of() : Arrays.asList(peer.split(",")));
        Fault.Plan what = new Fault.Plan(
                kind,
                scope,
                (int) number(query, "percent", 100),
                number(query, "delay_ms", 0),
                code(text(query, "code")));
        return new ChaosControl.Wanted(
                what, number(query, "ttl_ms", 0), text(query, "node"), who, text(query, "reason"));
    }

    private static FaultKind kind(String text) {
        List<String> names =
                Arrays.stream(FaultKind.values()).map(FaultKind::text).toList();
        return FaultKind.of(text)
                .orElseThrow(() -> RULES.invalid(
                        "there is no fault \"" + text + "\"",
                        "there are " + String.join(", ", names)
                                + NearestName.of(text, names)
                                        .map(name -> "; did you mean " + name + "?")
                                        .orElse("")));
    }

    private static Code code(String text) {
        if (text.isEmpty()) {
            return Code.OVERLOADED;
        }
        try {
            return Code.valueOf(text);
        } catch (IllegalArgumentException e) {
            throw RULES.invalid("there is no code " + text, "docs/protocol.md lists those there are");
        }
    }

    private static String text(Map<String, String> query, String parameter) {
        String text = query.getOrDefault(parameter, "");
        if (text.length() > MAX_TEXT) {
            throw RULES.invalid(parameter + " has " + text.length() + " characters", "at most " + MAX_TEXT);
        }
        return text;
    }

    private static long number(Map<String, String> query, String parameter, long otherwise) {
        String text = query.getOrDefault(parameter, "");
        if (text.isEmpty()) {
            return otherwise;
        }
        if (!text.matches("\\d{1,9}")) {
            throw RULES.invalid(parameter + " is " + text, "it must be a whole number");
        }
        return Long.parseLong(text);
    }

    private String show() {
        return JsonObject.of(json -> {
            json.writeStringField("node", node.get());
            json.writeBooleanField("enabled", chaos.isEnabled());
            write(json, chaos, clock.nowMs());
        });
    }

    /** All that is injected now. */
    static void write(JsonGenerator json, ChaosControl chaos, long nowMs) throws IOException {
        json.writeArrayFieldStart("faults");
        for (Injected each : chaos.view().all()) {
            json.writeStartObject();
            fields(json, each.fault());
            json.writeNumberField("left_ms", Math.max(0, each.fault().untilMs() - nowMs));
            json.writeNumberField("hits", each.hits().sum());
            json.writeEndObject();
        }
        json.writeEndArray();
    }

    private static void fields(JsonGenerator json, Fault fault) throws IOException {
        json.writeStringField("id", fault.id());
        json.writeStringField("kind", fault.kind().text());
        json.writeStringField("what", fault.what().text());
        json.writeStringField("who", fault.who());
        json.writeStringField("reason", fault.reason());
        json.writeNumberField("started_ms", fault.startedMs());
        json.writeNumberField("until_ms", fault.untilMs());
    }
}
