package io.spillway.broker.cli;

import com.fasterxml.jackson.core.JsonGenerator;
import io.spillway.client.GroupDescription;
import io.spillway.client.GroupSnapshot;
import io.spillway.client.SeekOutcome;
import java.io.IOException;
import java.time.Instant;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;

/** How groups, and what moving one did, are shown. */
final class GroupView {
    private GroupView() {}

    static String list(List<GroupDescription> groups) {
        Table table = new Table("TOPIC", "GROUP", "MODE", "MEMBERS", "BACKLOG", "IN FLIGHT", "STATE");
        for (GroupDescription group : groups) {
            long inFlight = group.partitions().stream()
                    .mapToLong(GroupDescription.Partition::inFlight)
                    .sum();
            table.row(
                    group.topic(),
                    group.group(),
                    mode(group),
                    group.members(),
                    group.backlog(),
                    inFlight,
                    group.paused() ? "paused" : group.pauseReason().isEmpty() ? "running" : "dead letters held");
        }
        return table.toString();
    }

    private static String mode(GroupDescription group) {
        return group.mode().name().toLowerCase(Locale.ROOT);
    }

    static String details(GroupDescription group) {
        return "topic:         " + group.topic()
                + "\ngroup:         " + group.group()
                + "\nmode:          " + mode(group)
                + "\nconfig:        " + config(group)
                + "\nstate:         " + state(group)
                + "\ncreated:       " + Instant.ofEpochMilli(group.createdMs())
                + "\nrevision:      " + group.revision()
                + "\nbacklog:       " + group.backlog()
                + "\nacked:         " + group.acked()
                + "\ndead-lettered: " + group.deadLettered()
                + "\n\n" + partitions(group)
                + (group.memberList().isEmpty() ? "\n\nno members" : "\n\n" + members(group));
    }

    private static String state(GroupDescription group) {
        if (group.paused()) {
            return "paused since " + Instant.ofEpochMilli(group.pausedMs()) + ", " + group.pauseReason();
        }
        return group.pauseReason().isEmpty() ? "running" : "running, " + group.pauseReason();
    }

    private static Table partitions(GroupDescription group) {
        Table table = new Table(
                "PARTITION",
                "CURSOR",
                "ACKED ABOVE",
                "IN FLIGHT",
                "WAITING RETRY",
                "SCHEDULED",
                "KEY BLOCKED",
                "DROPPED",
                "END",
                "BACKLOG");
        for (GroupDescription.Partition p : group.partitions()) {
            table.row(
                    p.partition(),
                    p.cursor(),
                    p.ackedAbove(),
                    p.inFlight(),
                    p.waitingRetry(),
                    p.scheduled(),
                    p.keyBlocked(),
                    p.dropped(),
                    p.endOffset(),
                    p.backlog());
        }
        return table;
    }

    private static Table members(GroupDescription group) {
        Table table = new Table("MEMBER", "STATE", "IN FLIGHT", "HEALTH", "WEIGHT", "WHY");
        for (GroupDescription.Member member : group.memberList()) {
            String state = !member.active() ? "standby" : member.paused() ? "paused" : "active";
            String health = member.health() + (member.relieved() ? ", relieved" : "");
            String weight = String.format(Locale.ROOT, "%.2f", member.weightPm() / 1000.0);
            table.row(member.name(), state, member.inFlight(), health, weight, member.why());
        }
        return table;
    }

    /** All settings in one line. */
    static String config(GroupDescription group) {
        return new TreeMap<>(group.config())
                .entrySet().stream()
                        .filter(setting -> !setting.getValue().isEmpty())
                        .map(setting -> setting.getKey() + "=" + setting.getValue())
                        .collect(Collectors.joining(" "));
    }

    static String snapshots(List<GroupSnapshot> snapshots) {
        Table table = new Table("SNAPSHOT", "TAKEN", "BACKLOG NOW", "RECORDS GONE", "REASON");
        for (GroupSnapshot snapshot : snapshots) {
            table.row(
                    snapshot.name(),
                    Instant.ofEpochMilli(snapshot.takenMs()),
                    snapshot.partitions().stream()
                            .mapToLong(GroupDescription.Partition::backlog)
                            .sum(),
                    snapshot.partitions().stream()
                            .mapToLong(GroupDescription.Partition::dropped)
                            .sum(),
                    snapshot.reason());
        }
        return table.toString();
    }

    static void show(Console console, CommonOptions common, String text, Console.JsonBody json) throws IOException {
        if (common.json()) {
            console.json(json);
        } else {
            console.line(text);
        }
    }

    static String details(String topic, String group, SeekOutcome outcome) {
        Table table = new Table("PARTITION", "FROM", "TO", "END", "REWOUND");
        for (SeekOutcome.Partition p : outcome.partitions()) {
            table.row(p.partition(), p.from(), p.to(), p.end(), p.rewound());
        }
        String what = outcome.applied() ? "moved group " : "dry run, nothing is changed: would move group ";
        return what + group + " of topic " + topic + "\n\n" + table;
    }

    static void writeJson(GroupDescription group, JsonGenerator json) throws IOException {
        json.writeStartObject();
        json.writeStringField("topic", group.topic());
        json.writeStringField("group", group.group());
        json.writeStringField("mode", mode(group));
        json.writeObjectFieldStart("config");
        for (Map.Entry<String, String> setting : new TreeMap<>(group.config()).entrySet()) {
            json.writeStringField(setting.getKey(), setting.getValue());
        }
        json.writeEndObject();
        json.writeBooleanField("paused", group.paused());
        json.writeStringField("pause_reason", group.pauseReason());
        json.writeNumberField("paused_since", group.pausedMs());
        json.writeNumberField("acked", group.acked());
        json.writeNumberField("dead_lettered", group.deadLettered());
        json.writeArrayFieldStart("member_list");
        for (GroupDescription.Member member : group.memberList()) {
            json.writeStartObject();
            json.writeStringField("name", member.name());
            json.writeBooleanField("active", member.active());
            json.writeBooleanField("paused", member.paused());
            json.writeNumberField("in_flight", member.inFlight());
            json.writeStringField("health", member.health());
            json.writeNumberField("weight_pm", member.weightPm());
            json.writeStringField("why", member.why());
            json.writeBooleanField("relieved", member.relieved());
            json.writeEndObject();
        }
        json.writeEndArray();
        json.writeNumberField("members", group.members());
        json.writeNumberField("revision", group.revision());
        json.writeNumberField("max_deliveries", group.maxDeliveries());
        json.writeNumberField("created", group.createdMs());
        json.writeNumberField("backlog", group.backlog());
        json.writeArrayFieldStart("partitions");
        for (GroupDescription.Partition p : group.partitions()) {
            json.writeStartObject();
            json.writeNumberField("partition", p.partition());
            json.writeNumberField("cursor", p.cursor());
            json.writeNumberField("acked_above", p.ackedAbove());
            json.writeNumberField("in_flight", p.inFlight());
            json.writeNumberField("waiting_retry", p.waitingRetry());
            json.writeNumberField("scheduled", p.scheduled());
            json.writeNumberField("key_blocked", p.keyBlocked());
            json.writeNumberField("dropped", p.dropped());
            json.writeNumberField("end_offset", p.endOffset());
            json.writeNumberField("backlog", p.backlog());
            json.writeEndObject();
        }
        json.writeEndArray();
        json.writeEndObject();
    }

    static void writeJson(GroupSnapshot snapshot, JsonGenerator json) throws IOException {
        json.writeStartObject();
        json.writeStringField("snapshot", snapshot.name());
        json.writeNumberField("taken", snapshot.takenMs());
        json.writeStringField("reason", snapshot.reason());
        json.writeArrayFieldStart("partitions");
        for (GroupDescription.Partition p : snapshot.partitions()) {
            json.writeStartObject();
            json.writeNumberField("partition", p.partition());
            json.writeNumberField("cursor", p.cursor());
            json.writeNumberField("acked_above", p.ackedAbove());
            json.writeNumberField("gone", p.dropped());
            json.writeEndObject();
        }
        json.writeEndArray();
        json.writeEndObject();
    }

    static void writeJson(String topic, String group, SeekOutcome outcome, JsonGenerator json) throws IOException {
        json.writeStartObject();
        json.writeStringField("topic", topic);
        json.writeStringField("group", group);
        json.writeBooleanField("applied", outcome.applied());
        json.writeNumberField("revision", outcome.revision());
        json.writeArrayFieldStart("partitions");
        for (SeekOutcome.Partition p : outcome.partitions()) {
            json.writeStartObject();
            json.writeNumberField("partition", p.partition());
            json.writeNumberField("from", p.from());
            json.writeNumberField("to", p.to());
            json.writeNumberField("end_offset", p.end());
            json.writeNumberField("rewound", p.rewound());
            json.writeEndObject();
        }
        json.writeEndArray();
        json.writeEndObject();
    }
}
