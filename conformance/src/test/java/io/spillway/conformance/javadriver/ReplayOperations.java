package io.spillway.conformance.javadriver;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.spillway.client.Admin;
import io.spillway.client.ReplayJob;
import io.spillway.client.ReplayOptions;
import io.spillway.client.ReplayPlan;
import io.spillway.client.ReplaySelection;
import io.spillway.client.ReplayTarget;
import java.util.Locale;

/** Replay plans and jobs. Thread-safe. */
final class ReplayOperations {
    private final ClientOperations clients;

    ReplayOperations(ClientOperations clients) {
        this.clients = clients;
    }

    ObjectNode plan(Request request) {
        return plan(clients.admin(request).planReplay(selection(request)));
    }

    private static ReplaySelection selection(Request request) {
        ReplaySelection selection = ReplaySelection.of(request.text("topic"));
        if (request.find("partitions").isPresent()) {
            selection = selection.partitions(request.list("partitions").stream()
                    .map(partition -> partition.asInt())
                    .toList());
        }
        selection = request.find("from").map(Wire::start).map(selection::from).orElse(selection);
        selection = request.find("to").map(Wire::start).map(selection::to).orElse(selection);
        if (request.find("keys").isPresent()) {
            for (var key : request.list("keys")) {
                selection = selection.key(Wire.bytes(key));
            }
        }
        selection = request.findText("filter").map(selection::filter).orElse(selection);
        selection = request.findText("dead_letter_cause")
                .map(selection::deadLetterCause)
                .orElse(selection);
        selection = request.findText("unacked_by").map(selection::unackedBy).orElse(selection);
        return request.findNumber("sample_pm")
                .map(Math::toIntExact)
                .map(selection::samplePerMille)
                .orElse(selection);
    }

    ObjectNode start(Request request) {
        ReplayOptions options = ReplayOptions.because(request.reason())
                .rate(Math.toIntExact(request.number("rate", 0)))
                .maxErrors(request.number("stop_errors", 0))
                .maxDeadLetters(request.number("stop_dead_letters", 0))
                .maxLag(request.number("stop_consumer_lag", 0));
        return job(clients.admin(request).startReplay(request.text("plan"), target(request.text("target")), options));
    }

    private static ReplayTarget target(String text) {
        int colon = text.indexOf(':');
        String name = text.substring(colon + 1);
        return switch (colon < 0 ? text : text.substring(0, colon)) {
            case "group" -> ReplayTarget.group(name);
            case "new-group" -> ReplayTarget.newGroup(name);
            case "topic" -> ReplayTarget.topic(name);
            case "origin" -> ReplayTarget.origin();
            default -> throw new DriverException("unknown target " + text);
        };
    }

    ObjectNode status(Request request) {
        return job(clients.admin(request).replay(request.text("job")));
    }

    ObjectNode list(Request request) {
        Admin admin = clients.admin(request);
        ObjectNode answer = Wire.object();
        ArrayNode plans = answer.putArray("plans");
        admin.replayPlans().forEach(plan -> plans.add(plan.id()));
        ArrayNode jobs = answer.putArray("jobs");
        admin.replays().forEach(job -> jobs.add(job.id()));
        return answer;
    }

    ObjectNode pause(Request request) {
        return job(clients.admin(request).pauseReplay(request.text("job"), request.reason()));
    }

    ObjectNode resume(Request request) {
        return job(clients.admin(request).resumeReplay(request.text("job"), request.reason()));
    }

    ObjectNode cancel(Request request) {
        return job(clients.admin(request).cancelReplay(request.text("job"), request.reason()));
    }

    ObjectNode await(Request request) {
        return job(clients.admin(request).awaitReplay(request.text("job"), request.millis("timeout_ms")));
    }

    ObjectNode diff(Request request) {
        ReplayJob job = clients.admin(request).replayDiff(request.text("job"));
        return Wire.object()
                .put("redelivered", job.redelivered())
                .put("acked", job.acked())
                .put("failed", job.failed())
                .put("open", job.open())
                .put("duplicates", job.duplicates());
    }

    ObjectNode delete(Request request) {
        clients.admin(request).deleteReplayPlan(request.text("plan"));
        return Wire.object();
    }

    private static ObjectNode plan(ReplayPlan plan) {
        ObjectNode node = Wire.object()
                .put("plan", plan.id())
                .put("state", plan.state().name().toLowerCase(Locale.ROOT))
                .put("records", plan.records())
                .put("bytes", plan.bytes())
                .put("first_ms", plan.firstMs())
                .put("last_ms", plan.lastMs())
                .put("keys", plan.keys())
                .put("keys_exact", plan.keysExact())
                .put("duplicates", plan.duplicates());
        ArrayNode partitions = node.putArray("partitions");
        for (ReplayPlan.Range range : plan.partitions()) {
            partitions
                    .addObject()
                    .put("partition", range.partition())
                    .put("from", range.from())
                    .put("to", range.to())
                    .put("records", range.records());
        }
        return node;
    }

    private static ObjectNode job(ReplayJob job) {
        return Wire.object()
                .put("job", job.id())
                .put("plan", job.planId())
                .put("topic", job.topic())
                .put("target", job.target().toString())
                .put("state", job.state().name().toLowerCase(Locale.ROOT))
                .put("why", job.why())
                .put("rate", job.options().rate())
                .put("reason", job.options().reason())
                .put("started_by", job.startedBy())
                .put("records", job.records())
                .put("done", job.done())
                .put("redelivered", job.redelivered())
                .put("acked", job.acked())
                .put("failed", job.failed())
                .put("open", job.open())
                .put("duplicates", job.duplicates())
                .put("errors", job.errors());
    }
}
