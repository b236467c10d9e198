package io.spillway.conformance.javadriver;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.spillway.client.Admin;
import io.spillway.client.GroupDescription;
import io.spillway.client.GroupMode;
import io.spillway.client.StartPosition;
import java.util.List;

/** Groups and their snapshots. Thread-safe. */
final class GroupOperations {
    private final ClientOperations clients;

    GroupOperations(ClientOperations clients) {
        this.clients = clients;
    }

    ObjectNode describe(Request request) {
        return Wire.group(clients.admin(request).describeGroup(request.text("topic"), request.text("group")));
    }

    ObjectNode list(Request request) {
        Admin admin = clients.admin(request);
        List<GroupDescription> groups =
                request.findText("topic").map(admin::listGroups).orElseGet(admin::listGroups);
        ObjectNode answer = Wire.object();
        ArrayNode names = answer.putArray("groups");
        groups.forEach(group -> names.add(group.group()));
        return answer;
    }

    ObjectNode delete(Request request) {
        clients.admin(request).deleteGroup(request.text("topic"), request.text("group"));
        return Wire.object();
    }

    ObjectNode seek(Request request) {
        return Wire.seek(clients.admin(request)
                .seekGroup(
                        request.text("topic"),
                        request.text("group"),
                        Wire.start(request.get("to")),
                        request.flag("dry_run"),
                        request.reason()));
    }

    ObjectNode create(Request request) {
        return Wire.group(clients.admin(request)
                .createGroup(
                        request.text("topic"),
                        request.text("group"),
                        request.findText("mode").map(Wire::mode).orElse(GroupMode.SHARED),
                        request.find("start").map(Wire::start).orElse(StartPosition.group()),
                        request.textMap("config")));
    }

    ObjectNode alter(Request request) {
        Admin admin = clients.admin(request);
        String topic = request.text("topic");
        String group = request.text("group");
        var config = request.textMap("config");
        return Wire.group(request.findNumber("expect_revision")
                .map(revision -> admin.alterGroup(topic, group, config, revision))
                .orElseGet(() -> admin.alterGroup(topic, group, config)));
    }

    ObjectNode pause(Request request) {
        return Wire.group(
                clients.admin(request).pauseGroup(request.text("topic"), request.text("group"), request.reason()));
    }

    ObjectNode resume(Request request) {
        return Wire.group(
                clients.admin(request).resumeGroup(request.text("topic"), request.text("group"), request.reason()));
    }

    ObjectNode snapshot(Request request) {
        return Wire.snapshot(clients.admin(request)
                .snapshotGroup(
                        request.text("topic"), request.text("group"), request.text("snapshot"), request.reason()));
    }

    ObjectNode restore(Request request) {
        return Wire.group(clients.admin(request)
                .restoreGroup(
                        request.text("topic"), request.text("group"), request.text("snapshot"), request.reason()));
    }

    ObjectNode snapshots(Request request) {
        ObjectNode answer = Wire.object();
        ArrayNode snapshots = answer.putArray("snapshots");
        clients.admin(request)
                .groupSnapshots(request.text("topic"), request.text("group"))
                .forEach(snapshot -> snapshots.add(Wire.snapshot(snapshot)));
        return answer;
    }

    ObjectNode deleteSnapshot(Request request) {
        clients.admin(request)
                .deleteGroupSnapshot(request.text("topic"), request.text("group"), request.text("snapshot"));
        return Wire.object();
    }
}
