package io.spillway.broker.admin;

import com.fasterxml.jackson.core.JsonGenerator;
import io.spillway.broker.link.LinkView;
import io.spillway.broker.records.LinkPromoted;
import io.spillway.broker.records.Position;
import java.io.IOException;
import java.util.List;
import java.util.Locale;

/** What the routes of links answer, as JSON. Thread-safe. */
final class LinkJson {
    private LinkJson() {}

    /** @param runs whether this broker runs the links of its cluster */
    static String links(List<LinkView> links, boolean runs) {
        return JsonObject.of(json -> {
            json.writeBooleanField("runs_here", runs);
            json.writeArrayFieldStart("links");
            for (LinkView link : links) {
                json.writeStartObject();
                fields(json, link);
                json.writeEndObject();
            }
            json.writeEndArray();
        });
    }

    static String link(LinkView link) {
        return JsonObject.of(json -> fields(json, link));
    }

    static String topics(List<String> topics) {
        return JsonObject.of(json -> strings(json, "topics", topics));
    }

    private static void strings(JsonGenerator json, String field, List<String> values) throws IOException {
        json.writeArrayFieldStart(field);
        for (String value : values) {
            json.writeString(value);
        }
        json.writeEndArray();
    }

    private static void fields(JsonGenerator json, LinkView link) throws IOException {
        json.writeStringField("name", link.link().getName());
        json.writeStringField("state", link.state().name().toLowerCase(Locale.ROOT));
        json.writeStringField("why", link.why());
        strings(json, "from", link.link().getSourcesList());
        strings(json, "patterns", link.link().getTopicsList());
        json.writeStringField("source", link.source());
        json.writeNumberField("bytes_per_second", link.link().getBytesPerSecond());
        json.writeNumberField("created_ms", link.link().getCreatedMs());
        json.writeNumberField("contact_ms", link.contactMs());
        json.writeNumberField("lag_records", link.lagRecords());
        json.writeNumberField("bytes", link.bytes());
        json.writeNumberField("records", link.records());
        json.writeBooleanField("forced", link.link().getForced());
        json.writeBooleanField("source_fenced", link.link().getFenced());
        json.writeNumberField("promoted_ms", link.link().getPromotedMs());
        json.writeArrayFieldStart("topics");
        for (LinkView.Topic topic : link.topics()) {
            topic(json, topic);
        }
        json.writeEndArray();
        json.writeArrayFieldStart("promoted");
        for (LinkPromoted topic : link.link().getPromotedList()) {
            promoted(json, topic);
        }
        json.writeEndArray();
    }

    private static void topic(JsonGenerator json, LinkView.Topic topic) throws IOException {
        json.writeStartObject();
        json.writeStringField("topic", topic.name());
        json.writeStringField("why", topic.why());
        json.writeNumberField("epoch", topic.epoch());
        json.writeArrayFieldStart("partitions");
        for (LinkView.Partition partition : topic.partitions()) {
            json.writeStartObject();
            json.writeNumberField("partition", partition.partition());
            json.writeNumberField("source_end", partition.sourceEnd());
            json.writeNumberField("end", partition.end());
            json.writeNumberField("lag_records", partition.lag());
            json.writeNumberField("lag_ms", partition.lagMs());
            json.writeNumberField("unreadable", partition.unreadable());
            json.writeEndObject();
        }
        json.writeEndArray();
        json.writeEndObject();
    }

    /** How far a topic had been copied when it was promoted, and what the old source had, once that is known. */
    private static void promoted(JsonGenerator json, LinkPromoted topic) throws IOException {
        json.writeStartObject();
        json.writeStringField("topic", topic.getTopic());
        json.writeNumberField("epoch", topic.getEpoch());
        json.writeArrayFieldStart("partitions");
        for (Position copied : topic.getCopiedList()) {
            json.writeStartObject();
            json.writeNumberField("partition", copied.getPartitionId());
            json.writeNumberField("copied_to", copied.getOffset());
            json.writeNumberField("source_had", had(topic, copied.getPartitionId()));
            json.writeEndObject();
        }
        json.writeEndArray();
        json.writeEndObject();
    }

    /** -1 = not known. */
    private static long had(LinkPromoted topic, int partition) {
        return topic.getHadList().stream()
                .filter(had -> had.getPartitionId() == partition)
                .mapToLong(Position::getOffset)
                .findFirst()
                .orElse(-1);
    }
}
