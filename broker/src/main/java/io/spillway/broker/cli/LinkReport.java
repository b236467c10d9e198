package io.spillway.broker.cli;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import io.spillway.broker.base.SpillwayException;
import io.spillway.protocol.Code;
import java.io.IOException;
import java.io.StringWriter;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What a broker says of its links.
 *
 * @param runsHere whether it runs those of its cluster
 */
record LinkReport(boolean runsHere, List<LinkReport.Link> links, String json) {
    private static final JsonFactory JSON = new JsonFactory();

    /** One link. */
    record Link(
            String name,
            String state,
            String why,
            String from,
            String patterns,
            String source,
            long contactMs,
            long lagRecords,
            boolean forced,
            boolean sourceFenced,
            List<Topic> topics,
            List<Promoted> promoted,
            String json) {
        boolean isPromoted() {
            return state.equals("promoted") || state.equals("fencing");
        }

        boolean isWell() {
            return why.isEmpty() && topics.stream().allMatch(topic -> topic.why.isEmpty());
        }
    }

    /** One topic of a link. */
    record Topic(String name, String why, List<Partition> partitions) {}

    /** How far a copy is; {@code sourceEnd} is -1 while it is not known. */
    record Partition(long partition, long sourceEnd, long end, long lagRecords, long lagMs, long unreadable) {}

    /** How far a copy was when it took over; {@code sourceHad} is -1 while it is not known. */
    record Promoted(String topic, long partition, long copiedTo, long sourceHad) {}

    static LinkReport of(Map<String, @Nullable Object> json) throws IOException {
        List<Link> links = new ArrayList<>();
        for (Map<String, @Nullable Object> link : objects(json, "links")) {
            links.add(link(link));
        }
        return new LinkReport(Boolean.TRUE.equals(json.get("runs_here")), links, json(json));
    }

    /** The link, or NOT_FOUND. */
    Link link(String name) {
        return links.stream()
                .filter(link -> link.name.equals(name))
                .findFirst()
                .orElseThrow(() -> new SpillwayException(
                        Code.NOT_FOUND,
                        "there is no link \"" + name + "\" here",
                        links.isEmpty()
                                ? "there is none"
                                : "there are "
                                        + String.join(
                                                ", ",
                                                links.stream().map(Link::name).toList()),
                        "a link is found at the cluster that copies: spillway link list"));
    }

    private static Link link(Map<String, @Nullable Object> json) throws IOException {
        List<Topic> topics = new ArrayList<>();
        for (Map<String, @Nullable Object> topic : objects(json, "topics")) {
            topics.add(new Topic(
                    AdminClient.text(topic, "topic"),
                    AdminClient.text(topic, "why"),
                    objects(topic, "partitions").stream()
                            .map(LinkReport::partition)
                            .toList()));
        }
        List<Promoted> promoted = new ArrayList<>();
        for (Map<String, @Nullable Object> topic : objects(json, "promoted")) {
            for (Map<String, @Nullable Object> partition : objects(topic, "partitions")) {
                promoted.add(new Promoted(
                        AdminClient.text(topic, "topic"),
                        number(partition, "partition"),
                        number(partition, "copied_to"),
                        number(partition, "source_had")));
            }
        }
        return new Link(
                AdminClient.text(json, "name"),
                AdminClient.text(json, "state"),
                AdminClient.text(json, "why"),
                strings(json, "from"),
                strings(json, "patterns"),
                AdminClient.text(json, "source"),
                number(json, "contact_ms"),
                number(json, "lag_records"),
                Boolean.TRUE.equals(json.get("forced")),
                Boolean.TRUE.equals(json.get("source_fenced")),
                topics,
                promoted,
                json(json));
    }

    private static Partition partition(Map<String, @Nullable Object> json) {
        return new Partition(
                number(json, "partition"),
                number(json, "source_end"),
                number(json, "end"),
                number(json, "lag_records"),
                number(json, "lag_ms"),
                number(json, "unreadable"));
    }

    static long number(Map<String, @Nullable Object> fields, String name) {
        return fields.get(name) instanceof Long value ? value : -1;
    }

    private static String strings(Map<String, @Nullable Object> fields, String name) {
        List<?> all = fields.get(name) instanceof List<?> values ? values : List.of();
        return String.join(",", all.stream().map(String::valueOf).toList());
    }

    @SuppressWarnings("unchecked")
    static List<Map<String, @Nullable Object>> objects(Map<String, @Nullable Object> fields, String name) {
        List<?> all = fields.get(name) instanceof List<?> values ? values : List.of();
        List<Map<String, @Nullable Object>> objects = new ArrayList<>();
        all.forEach(each -> objects.add((Map<String, @Nullable Object>) each));
        return objects;
    }

    /** As it came. */
    static String json(Map<String, @Nullable Object> object) throws IOException {
        StringWriter text = new StringWriter();
        try (JsonGenerator json = JSON.createGenerator(text)) {
            write(json, object);
        }
        return text.toString();
    }

    private static void write(JsonGenerator json, @Nullable Object value) throws IOException {
        if (value instanceof Map<?, ?> object) {
            json.writeStartObject();
            for (Map.Entry<?, ?> field : object.entrySet()) {
                json.writeFieldName(String.valueOf(field.getKey()));
                write(json, field.getValue());
            }
            json.writeEndObject();
        } else if (value instanceof List<?> array) {
            json.writeStartArray();
            for (Object each : array) {
                write(json, each);
            }
            json.writeEndArray();
        } else if (value instanceof Long number) {
            json.writeNumber(number);
        } else if (value instanceof Double number) {
            json.writeNumber(number);
        } else if (value instanceof Boolean flag) {
            json.writeBoolean(flag);
        } else if (value == null) {
            json.writeNull();
        } else {
            json.writeString(value.toString());
        }
    }
}
