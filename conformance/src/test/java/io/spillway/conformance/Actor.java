package io.spillway.conformance;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.spillway.conformance.driver.DriverProcess;
import java.util.LinkedHashSet;
import java.util.Set;
import java.util.concurrent.CompletableFuture;

/**
 * One role of one run: sends operations to the driver of its language, fills in what a step may leave out, and gives
 * clients, producers and subscriptions names that no other run uses. Confined to the scenario's thread.
 */
final class Actor {
    private static final String DEFAULT_NAME = "main";
    private static final long DEFAULT_WAIT_MS = 10_000;
    private static final Set<String> OF_A_TOPIC = Set.of(
            "topic.create",
            "topic.describe",
            "topic.delete",
            "topic.alter",
            "topic.purge",
            "producer.open",
            "subscription.open",
            "subscription.handle",
            "group.describe",
            "group.delete",
            "group.seek",
            "group.create",
            "group.alter",
            "group.pause",
            "group.resume",
            "group.snapshot",
            "group.restore",
            "group.snapshots",
            "group.snapshot_delete",
            "replay.plan");
    private static final Set<String> FAMILIES_OF_A_CLIENT = Set.of("client", "topic", "group", "replay");
    private static final Set<String> WAITING = Set.of(
            "subscription.poll",
            "subscription.collect",
            "subscription.handled",
            "subscription.lost_leases",
            "subscription.ended",
            "subscription.drain",
            "replay.wait");

    private final String role;
    private final String scope;
    private final DriverProcess driver;
    private final String topic;
    private final String endpoint;
    private final Transcript transcript;
    private final Set<String> clients = new LinkedHashSet<>();

    Actor(String role, String run, DriverProcess driver, String topic, String endpoint, Transcript transcript) {
        this.role = role;
        scope = run + "." + role + ".";
        this.driver = driver;
        this.topic = topic;
        this.endpoint = endpoint;
        this.transcript = transcript;
    }

    DriverProcess driver() {
        return driver;
    }

    CompletableFuture<JsonNode> request(String operation, ObjectNode arguments) {
        ObjectNode request = arguments.objectNode().put("op", operation);
        request.setAll(arguments);
        String family = operation.substring(0, operation.indexOf('.') < 0 ? 0 : operation.indexOf('.'));
        boolean opens =
                operation.equals("producer.open") || operation.startsWith("subscription.") && isOpening(operation);
        if (FAMILIES_OF_A_CLIENT.contains(family) || opens) {
            name(request, "client");
        }
        if (family.equals("producer")) {
            name(request, "producer");
        }
        if (family.equals("subscription") || family.equals("message")) {
            name(request, "subscription");
        }
        if (OF_A_TOPIC.contains(operation) && !request.has("topic")) {
            request.put("topic", topic);
        }
        if (WAITING.contains(operation) && !request.has("timeout_ms")) {
            request.put("timeout_ms", DEFAULT_WAIT_MS);
        }
        if (operation.equals("client.open")) {
            clients.add(request.get("client").asText());
            if (!request.has("endpoints")) {
                request.putArray("endpoints").add(endpoint);
            }
        }
        transcript.add("->", role, request);
        return driver.request(request)
                .whenComplete((answer, error) -> transcript.add("<-", role, error == null ? answer : error));
    }

    private static boolean isOpening(String operation) {
        return operation.equals("subscription.open") || operation.equals("subscription.handle");
    }

    private void name(ObjectNode request, String kind) {
        request.put(kind, scope + request.path(kind).asText(DEFAULT_NAME));
    }

    /** Closes what the scenario has left open. The answers may be errors: some clients cannot say goodbye any more. */
    CompletableFuture<Void> closeClients(ObjectNode empty) {
        return CompletableFuture.allOf(clients.stream()
                .map(client -> driver.request(empty.objectNode()
                        .put("op", "client.close")
                        .put("client", client)
                        .put("timeout_ms", 500)))
                .toArray(CompletableFuture[]::new));
    }
}
