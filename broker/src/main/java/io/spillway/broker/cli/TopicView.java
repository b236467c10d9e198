package io.spillway.broker.cli;

import com.fasterxml.jackson.core.JsonGenerator;
import io.spillway.client.TopicDescription;
import io.spillway.client.TopicDescription.Partition;
import java.io.IOException;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;

/** How topics are shown. */
final class TopicView {
    private TopicView() {}

    static String list(List<TopicDescription> topics) {
        Table table = new Table("TOPIC", "PARTITIONS", "RECORDS", "BYTES", "DURABILITY");
        for (TopicDescription topic : topics) {
            table.row(
                    topic.name(),
                    topic.partitions().size(),
                    topic.records(),
                    topic.partitions().stream().mapToLong(Partition::bytes).sum(),
                    topic.config().getOrDefault("durability", ""));
        }
        return table.toString();
    }

    static String details(TopicDescription topic) {
        Table table = new Table("PARTITION", "START", "END", "VISIBLE", "BYTES", "CORRUPT BATCHES");
        for (Partition p : topic.partitions()) {
            table.row(p.partition(), p.startOffset(), p.endOffset(), p.visibleOffset(), p.bytes(), p.corruptBatches());
        }
        return "topic:    " + topic.name()
                + "\nconfig:   " + config(topic)
                + "\ncreated:  " + Instant.ofEpochMilli(topic.createdMs())
                + "\nrevision: " + topic.revision()
                + "\nrecords:  " + topic.records()
                + (topic.switches().changedMs() == 0 ? "" : "\nswitched: " + switches(topic))
                + life(topic.life())
                + "\n\n" + table;
    }

    /** Nothing of a topic that no link is about. */
    private static String life(TopicDescription.Life life) {
        String epoch = life.epoch() == 0 ? "" : "\nepoch:    " + life.epoch();
        if (!life.mirroredBy().isEmpty()) {
            return epoch + "\ncopy:     of link " + life.mirroredBy()
                    + ", which alone writes it; see spillway link status " + life.mirroredBy();
        }
        return life.fencedBy().isEmpty()
                ? epoch
                : epoch + "\nfenced:   link " + life.fencedBy()
                        + " took it to another cluster; to open it here again: spillway link lift";
    }

    private static void link(JsonGenerator json, String field, String link) throws IOException {
        if (link.isEmpty()) {
            json.writeNullField(field);
        } else {
            json.writeStringField(field, link);
        }
    }

    /** What an operator has switched, in one line. */
    static String switches(TopicDescription topic) {
        TopicDescription.Switches switches = topic.switches();
        String text = "publish " + (switches.publishPaused() ? "PAUSED" : "on") + ", dispatch "
                + (switches.dispatchPaused() ? "PAUSED" : "on");
        return text
                + (switches.shedClass() == 0 ? "" : ", class " + switches.shedClass())
                + "; since " + Instant.ofEpochMilli(switches.changedMs()) + ": " + switches.reason();
    }

    /** All settings in one line. */
    static String config(TopicDescription topic) {
        return new TreeMap<>(topic.config())
                .entrySet().stream().map(e -> e.getKey() + "=" + e.getValue()).collect(Collectors.joining(" "));
    }

    static void writeJson(TopicDescription topic, JsonGenerator json) throws IOException {
        json.writeStartObject();
        json.writeStringField("topic", topic.name());
        json.writeObjectFieldStart("config");
        for (Map.Entry<String, String> setting : new TreeMap<>(topic.config()).entrySet()) {
            json.writeStringField(setting.getKey(), setting.getValue());
        }
        json.writeEndObject();
        json.writeNumberField("revision", topic.revision());
        json.writeNumberField("created", topic.createdMs());
        json.writeNumberField("records", topic.records());
        json.writeNumberField("epoch", topic.life().epoch());
        link(json, "mirrored_by", topic.life().mirroredBy());
        link(json, "fenced_by", topic.life().fencedBy());
        json.writeBooleanField("publish_paused", topic.switches().publishPaused());
        json.writeBooleanField("dispatch_paused", topic.switches().dispatchPaused());
        json.writeNumberField("shed_class", topic.switches().shedClass());
        json.writeStringField("switch_reason", topic.switches().reason());
        json.writeArrayFieldStart("partitions");
        for (Partition p : topic.partitions()) {
            json.writeStartObject();
            json.writeNumberField("partition", p.partition());
            json.writeNumberField("start_offset", p.startOffset());
            json.writeNumberField("end_offset", p.endOffset());
            json.writeNumberField("visible_offset", p.visibleOffset());
            json.writeNumberField("bytes", p.bytes());
            json.writeNumberField("corrupt_batches", p.corruptBatches());
            json.writeEndObject();
        }
        json.writeEndArray();
        json.writeEndObject();
    }
}
