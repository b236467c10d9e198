package io.spillway.broker.admin;

import com.fasterxml.jackson.core.JsonGenerator;
import io.spillway.broker.base.SpillwayException;
import io.spillway.broker.catalog.TopicNames;
import io.spillway.broker.catalog.TopicSpec;
import io.spillway.broker.flow.PressureSignal;
import io.spillway.broker.session.Census;
import io.spillway.protocol.Code;
import io.spillway.protocol.v1.GroupInfo;
import io.spillway.protocol.v1.PartitionInfo;
import io.spillway.protocol.v1.PressureReason;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** What the console is shown of the broker and its topics, in JSON. */
final class ApiJson {
    private static final int PREFIX = 2;

    private ApiJson() {}

    static boolean isDeadLetters(TopicSpec topic) {
        return topic.name().endsWith(TopicNames.DEAD_LETTER_SUFFIX);
    }

    static String overview(ConsoleSource source, Samples samples) {
        return JsonObject.of(json -> {
            json.writeStringField("node", source.sessions().nodeId());
            json.writeStringField("version", source.sessions().version());
            json.writeNumberField("now_ms", source.sessions().clock().nowMs());
            json.writeBooleanField("draining", source.sessions().isDraining());
            json.writeBooleanField("leads", source.sessions().leads());
            json.writeNumberField("connections", source.connections().getAsLong());
            json.writeNumberField("topics", samples.topics().size());
            json.writeNumberField(
                    "groups",
                    samples.topics().stream().mapToInt(TopicFigures::groups).sum());
            json.writeNumberField(
                    "members",
                    samples.topics().stream().mapToInt(TopicFigures::members).sum());
            json.writeNumberField(
                    "paused_groups",
                    samples.topics().stream()
                            .flatMap(topic -> topic.topic().groups().stream())
                            .filter(GroupInfo::getPaused)
                            .count());
            json.writeNumberField(
                    "switched_topics",
                    samples.topics().stream().filter(TopicFigures::isSwitched).count());
            pressure(json, source);
        });
    }

    private static void pressure(JsonGenerator json, ConsoleSource source) throws IOException {
        json.writeObjectFieldStart("pressure");
        signal(json, "worst", source.pressure().worst());
        signal(json, "broker", source.pressure().ofBroker());
        json.writeArrayFieldStart("domains");
        for (Map.Entry<String, PressureSignal> domain :
                source.pressure().ofDomains().entrySet()) {
            json.writeStartObject();
            json.writeStringField("domain", domain.getKey());
            fields(json, domain.getValue());
            json.writeEndObject();
        }
        json.writeEndArray();
        json.writeObjectFieldStart("levels");
        for (PressureReason reason : PressureReason.values()) {
            if (reason != PressureReason.UNRECOGNIZED && source.pressure().level(reason) > 0) {
                json.writeNumberField(
                        reason.name().substring(PREFIX), source.pressure().level(reason));
            }
        }
        json.writeEndObject();
        json.writeEndObject();
    }

    private static void signal(JsonGenerator json, String name, PressureSignal signal) throws IOException {
        json.writeObjectFieldStart(name);
        fields(json, signal);
        json.writeEndObject();
    }

    private static void fields(JsonGenerator json, PressureSignal signal) throws IOException {
        json.writeStringField("state", signal.state().name().substring(PREFIX));
        json.writeStringField("scope", signal.scope());
        json.writeArrayFieldStart("reasons");
        for (PressureReason reason : signal.reasons()) {
            json.writeString(reason.name().substring(PREFIX));
        }
        json.writeEndArray();
    }

    static String history(Samples samples) {
        return JsonObject.of(json -> {
            json.writeNumberField("interval_ms", Samples.TICK_SECONDS * 1_000L);
            json.writeNumberField("points", Samples.POINTS);
            json.writeNumberField("end_ms", samples.lastMs());
            samples.broker.writeTo(json);
        });
    }

    static String history(Samples samples, String topic) {
        TopicFigures figures = samples.find(topic);
        return JsonObject.of(json -> {
            json.writeNumberField("interval_ms", Samples.TICK_SECONDS * Samples.TOPIC_TICKS * 1_000L);
            json.writeNumberField("points", Samples.TOPIC_POINTS);
            json.writeNumberField("end_ms", samples.lastMs());
            json.writeBooleanField("remembered", figures != null && figures.series != null);
            json.writeNumberField("topics_remembered", Samples.MAX_TOPICS);
            if (figures != null && figures.series != null) {
                figures.series.writeTo(json);
            }
        });
    }

    static String topics(Samples samples, List<TopicFigures> page, int found) {
        return JsonObject.of(json -> {
            json.writeNumberField("seen_ms", samples.seenMs());
            json.writeNumberField("all", samples.topics().size());
            json.writeNumberField("found", found);
            json.writeArrayFieldStart("topics");
            for (TopicFigures topic : page) {
                json.writeStartObject();
                figures(json, topic);
                json.writeEndObject();
            }
            json.writeEndArray();
        });
    }

    private static void figures(JsonGenerator json, TopicFigures topic) throws IOException {
        TopicSpec spec = topic.spec();
        json.writeStringField("name", spec.name());
        json.writeNumberField("partitions", spec.partitions());
        json.writeNumberField("published", Series.rounded(topic.publishedRate()));
        json.writeNumberField("acked", Series.rounded(topic.ackedRate()));
        json.writeNumberField("backlog", topic.backlog());
        json.writeNumberField("in_flight", topic.inFlight());
        json.writeNumberField("bytes", topic.bytes());
        json.writeNumberField("records", topic.records());
        json.writeNumberField("groups", topic.groups());
        json.writeNumberField("members", topic.members());
        json.writeNumberField(
                "paused_groups",
                topic.topic().groups().stream().filter(GroupInfo::getPaused).count());
        switches(json, spec);
        json.writeArrayFieldStart("spark");
        if (topic.series != null) {
            for (float rate : topic.series.last(0, 30)) {
                json.writeNumber(Series.rounded(rate));
            }
        }
        json.writeEndArray();
    }

    private static void switches(JsonGenerator json, TopicSpec spec) throws IOException {
        json.writeBooleanField("publish_paused", spec.switches().publishPaused());
        json.writeBooleanField("dispatch_paused", spec.switches().dispatchPaused());
        json.writeNumberField("shed_class", spec.switches().shedClass());
        json.writeStringField("switch_reason", spec.switches().reason());
        json.writeNumberField("switched_ms", spec.switches().changedMs());
        json.writeStringField("mirrored_by", spec.standing().mirroredBy());
        json.writeStringField("fenced_by", spec.standing().fencedBy());
    }

    /** @param figures null: it was not looked at yet */
    static String topic(Census.Topic topic, @Nullable TopicFigures figures) {
        TopicSpec spec = topic.spec();
        return JsonObject.of(json -> {
            json.writeStringField("name", spec.name());
            json.writeNumberField("topic_id", spec.topicId());
            json.writeNumberField("revision", spec.revision());
            json.writeNumberField("created_ms", spec.createdMs());
            json.writeNumberField("shard", spec.shard());
            json.writeNumberField("published", figures == null ? 0 : Series.rounded(figures.publishedRate()));
            json.writeNumberField("acked", figures == null ? 0 : Series.rounded(figures.ackedRate()));
            switches(json, spec);
            json.writeObjectFieldStart("config");
            for (Map.Entry<String, String> setting : spec.config().toMap().entrySet()) {
                json.writeStringField(setting.getKey(), setting.getValue());
            }
            json.writeEndObject();
            json.writeArrayFieldStart("partitions");
            for (PartitionInfo partition : topic.partitions()) {
                json.writeStartObject();
                json.writeNumberField("partition", partition.getPartition());
                json.writeNumberField("start", partition.getStartOffset());
                json.writeNumberField("end", partition.getEndOffset());
                json.writeNumberField("visible", partition.getVisibleOffset());
                json.writeNumberField("bytes", partition.getBytes());
                json.writeNumberField("corrupt_batches", partition.getCorruptBatches());
                json.writeEndObject();
            }
            json.writeEndArray();
            json.writeArrayFieldStart("groups");
            for (GroupInfo group : topic.groups()) {
                json.writeStartObject();
                GroupJson.row(json, group);
                json.writeEndObject();
            }
            json.writeEndArray();
        });
    }

    static String groups(Samples samples, List<ApiReads.Row> page, int found) {
        return JsonObject.of(json -> {
            json.writeNumberField("seen_ms", samples.seenMs());
            json.writeNumberField("found", found);
            json.writeArrayFieldStart("groups");
            for (ApiReads.Row row : page) {
                json.writeStartObject();
                GroupJson.row(json, row.group());
                json.writeEndObject();
            }
            json.writeEndArray();
        });
    }

    static String group(Census.Topic topic, String name) {
        GroupInfo group = topic.groups().stream()
                .filter(each -> each.getGroup().equals(name))
                .findFirst()
                .orElseThrow(() -> new SpillwayException(
                        Code.GROUP_NOT_FOUND,
                        "topic " + topic.spec().name() + " has no group " + name,
                        "it was never made, or is deleted",
                        "look for another"));
        return JsonObject.of(json -> {
            GroupJson.row(json, group);
            json.writeBooleanField("dispatch_paused", topic.spec().switches().dispatchPaused());
            json.writeStringField("switch_reason", topic.spec().switches().reason());
            GroupJson.details(json, group);
        });
    }
}
