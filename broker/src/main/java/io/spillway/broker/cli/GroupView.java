package io.spillway.broker.cli;

import com.fasterxml.jackson.core.JsonGenerator;
import io.spillway.client.GroupDescription;
import io.spillway.client.SeekOutcome;
import java.io.IOException;
import java.time.Instant;
import java.util.List;

/** How groups, and what moving one did, are shown. */
final class GroupView {
    private GroupView() {}

    static String list(List<GroupDescription> groups) {
        Table table = new Table("TOPIC", "GROUP", "MEMBERS", "BACKLOG", "IN FLIGHT");
        for (GroupDescription group : groups) {
            long inFlight = group.partitions().stream()
                    .mapToLong(GroupDescription.Partition::inFlight)
                    .sum();
            table.row(group.topic(), group.group(), group.members(), group.backlog(), inFlight);
        }
        return table.toString();
    }

    static String details(GroupDescription group) {
        Table table = new Table("PARTITION", "CURSOR", "ACKED ABOVE", "IN FLIGHT", "WAITING RETRY", "END", "BACKLOG");
        for (GroupDescription.Partition p : group.partitions()) {
            table.row(
                    p.partition(),
                    p.cursor(),
                    p.ackedAbove(),
                    p.inFlight(),
                    p.waitingRetry(),
                    p.endOffset(),
                    p.backlog());
        }
        return "topic:          " + group.topic()
                + "\ngroup:          " + group.group()
                + "\nmembers:        " + group.members()
                + "\nmax deliveries: " + (group.maxDeliveries() == 0 ? "no limit" : group.maxDeliveries())
                + "\ncreated:        " + Instant.ofEpochMilli(group.createdMs())
                + "\nrevision:       " + group.revision()
                + "\nbacklog:        " + group.backlog()
                + "\n\n" + table;
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
            json.writeNumberField("end_offset", p.endOffset());
            json.writeNumberField("backlog", p.backlog());
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
