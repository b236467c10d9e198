package io.spillway.conformance.javadriver;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.spillway.client.Admin;
import io.spillway.client.ClientBuilder;
import io.spillway.client.SpillwayClient;
import java.nio.file.Path;

/** Clients and topics. Thread-safe. */
final class ClientOperations {
    /** A client and what its metrics hook has seen. */
    record Opened(SpillwayClient client, EventCounts events) {}

    private final Names<Opened> clients = new Names<>("client");

    SpillwayClient client(Request request) {
        return clients.get(request).client();
    }

    Admin admin(Request request) {
        return client(request).admin();
    }

    ObjectNode open(Request request) {
        EventCounts events = new EventCounts();
        ClientBuilder builder = SpillwayClient.builder()
                .endpoints(request.texts("endpoints").toArray(String[]::new))
                .metrics(events);
        request.findText("client_name").ifPresent(builder::clientName);
        request.findText("zone").ifPresent(builder::zone);
        request.findText("failure_domain").ifPresent(builder::failureDomain);
        request.findText("health_root").map(Path::of).ifPresent(builder::healthRoot);
        request.findMillis("health_interval_ms").ifPresent(builder::healthInterval);
        request.findMillis("connect_timeout_ms").ifPresent(builder::connectTimeout);
        request.findMillis("wait_for_broker_ms").ifPresent(builder::waitForBroker);
        request.findMillis("heartbeat_ms").ifPresent(builder::heartbeat);
        request.findMillis("request_timeout_ms").ifPresent(builder::requestTimeout);
        request.text("client");
        request.finish();
        clients.put(request, new Opened(builder.connect(), events));
        return Wire.object();
    }

    ObjectNode close(Request request) {
        SpillwayClient client = client(request);
        request.findMillis("timeout_ms").ifPresentOrElse(client::close, client::close);
        return Wire.object();
    }

    ObjectNode events(Request request) {
        return clients.get(request).events().answer();
    }

    void closeAll() {
        clients.all().forEach(opened -> opened.client().close());
    }

    ObjectNode createTopic(Request request) {
        return Wire.topic(admin(request)
                .createTopic(
                        request.text("topic"),
                        Math.toIntExact(request.number("partitions")),
                        request.textMap("config")));
    }

    ObjectNode describeTopic(Request request) {
        return Wire.topic(admin(request).describeTopic(request.text("topic")));
    }

    ObjectNode deleteTopic(Request request) {
        admin(request).deleteTopic(request.text("topic"));
        return Wire.object();
    }

    ObjectNode alterTopic(Request request) {
        Admin admin = admin(request);
        String topic = request.text("topic");
        var config = request.textMap("config");
        return Wire.topic(request.findNumber("expect_revision")
                .map(revision -> admin.alterTopic(topic, config, revision))
                .orElseGet(() -> admin.alterTopic(topic, config)));
    }

    ObjectNode listTopics(Request request) {
        ObjectNode answer = Wire.object();
        ArrayNode names = answer.putArray("topics");
        admin(request).listTopics().forEach(topic -> names.add(topic.name()));
        return answer;
    }

    ObjectNode purgeTopic(Request request) {
        return Wire.topic(
                admin(request).purgeTopic(request.text("topic"), Wire.start(request.get("before")), request.reason()));
    }
}
