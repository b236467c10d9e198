package io.spillway.conformance.javadriver;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.databind.node.TextNode;
import io.spillway.client.GroupDescription;
import io.spillway.client.GroupMode;
import io.spillway.client.GroupSnapshot;
import io.spillway.client.Header;
import io.spillway.client.Message;
import io.spillway.client.OutgoingRecord;
import io.spillway.client.PublishAck;
import io.spillway.client.ReadFrom;
import io.spillway.client.SeekOutcome;
import io.spillway.client.SpillwayException;
import io.spillway.client.StartPosition;
import io.spillway.client.TopicDescription;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** The client's types as JSON and back, as conformance/DRIVER.md writes them. */
final class Wire {
    private static final JsonNodeFactory JSON = JsonNodeFactory.instance;
    private static final HexFormat HEX = HexFormat.of();

    private Wire() {}

    static ObjectNode object() {
        return JSON.objectNode();
    }

    static byte[] bytes(JsonNode node) {
        return node.isObject() && node.size() == 1 && node.has("hex")
                ? HEX.parseHex(node.get("hex").asText())
                : node.asText().getBytes(StandardCharsets.UTF_8);
    }

    static JsonNode bytes(byte @Nullable [] bytes) {
        if (bytes == null) {
            return JSON.nullNode();
        }
        try {
            return TextNode.valueOf(StandardCharsets.UTF_8
                    .newDecoder()
                    .decode(ByteBuffer.wrap(bytes))
                    .toString());
        } catch (CharacterCodingException e) {
            return object().put("hex", HEX.formatHex(bytes));
        }
    }

    static byte[] filled(long size) {
        byte[] bytes = new byte[Math.toIntExact(size)];
        Arrays.fill(bytes, (byte) 'x');
        return bytes;
    }

    static OutgoingRecord record(JsonNode node) {
        Request record = new Request(node);
        byte[] value = record.findNumber("value_size").map(Wire::filled).orElseGet(() -> bytes(record.get("value")));
        OutgoingRecord.Builder builder = OutgoingRecord.builder(value);
        record.findNumber("key_size").ifPresent(size -> builder.key(filled(size)));
        record.find("key").ifPresent(key -> builder.key(bytes(key)));
        record.find("headers")
                .ifPresent(headers ->
                        headers.forEach(header -> builder.header(header.get(0).asText(), bytes(header.get(1)))));
        record.find("idempotency_key").ifPresent(key -> builder.idempotencyKey(bytes(key)));
        record.findNumber("timestamp_ms").ifPresent(builder::timestampMs);
        record.findNumber("partition").ifPresent(partition -> builder.partition(Math.toIntExact(partition)));
        record.findText("traceparent").ifPresent(builder::traceparent);
        record.findText("correlation_id").ifPresent(builder::correlationId);
        record.findMillis("deliver_after_ms").ifPresent(builder::deliverAfter);
        record.findNumber("deliver_at_ms").map(Instant::ofEpochMilli).ifPresent(builder::deliverAt);
        record.findMillis("expires_after_ms").ifPresent(builder::expiresAfter);
        record.findNumber("expires_at_ms").map(Instant::ofEpochMilli).ifPresent(builder::expiresAt);
        record.findMillis("first_attempt_ago_ms")
                .ifPresent(ago -> builder.firstAttempt(Instant.now().minus(ago)));
        record.finish();
        return builder.build();
    }

    static ObjectNode ack(PublishAck ack) {
        return object().put("partition", ack.partition())
                .put("offset", ack.offset())
                .put("durability", ack.reached().name().toLowerCase(Locale.ROOT))
                .put("duplicate", ack.duplicate())
                .put("degraded", ack.degraded())
                .put("append_time_ms", ack.appendTimeMs());
    }

    static ObjectNode message(long number, Message message) {
        ObjectNode node = object().put("message", number)
                .put("topic", message.topic())
                .put("partition", message.partition())
                .put("offset", message.offset())
                .put("attempt", message.attempt())
                .put("failures", message.failures())
                .put("timestamp_ms", message.timestampMs())
                .put("append_time_ms", message.appendTimeMs());
        node.set("key", bytes(message.key()));
        node.set("value", bytes(message.value()));
        node.set("idempotency_key", bytes(message.idempotencyKey()));
        node.put("traceparent", message.traceparent());
        node.put("correlation_id", message.correlationId());
        Instant expiresAt = message.expiresAt();
        Duration timeLeft = message.timeLeft();
        node.put("expires_at_ms", expiresAt == null ? null : Long.valueOf(expiresAt.toEpochMilli()));
        node.put("time_left_ms", timeLeft == null ? null : Long.valueOf(timeLeft.toMillis()));
        ArrayNode headers = node.putArray("headers");
        for (Header header : message.headers()) {
            headers.addArray().add(header.name()).add(bytes(header.value()));
        }
        return node;
    }

    static ObjectNode error(SpillwayException error) {
        ObjectNode node = object().put("reason", error.reason())
                .put("code", error.code())
                .put("retry", error.retryClass().name())
                .put("retry_after_ms", error.retryAfter().toMillis())
                .put("message", error.what())
                .put("cause", error.why())
                .put("next_step", error.nextStep());
        ObjectNode details = node.putObject("details");
        error.details().forEach(details::put);
        return node;
    }

    static GroupMode mode(String name) {
        return switch (name) {
            case "shared" -> GroupMode.SHARED;
            case "key_ordered" -> GroupMode.KEY_ORDERED;
            case "exclusive" -> GroupMode.EXCLUSIVE;
            default -> throw new DriverException("unknown mode " + name);
        };
    }

    static ReadFrom readFrom(String name) {
        return switch (name) {
            case "leader" -> ReadFrom.LEADER;
            case "nearest" -> ReadFrom.NEAREST;
            default -> throw new DriverException("unknown node to read from " + name);
        };
    }

    static StartPosition start(JsonNode node) {
        if (node.isObject()) {
            Request start = new Request(node);
            StartPosition position = start.findNumber("time_ms")
                    .map(ms -> StartPosition.time(Instant.ofEpochMilli(ms)))
                    .orElseGet(() ->
                            StartPosition.offset(Math.toIntExact(start.number("partition")), start.number("offset")));
            start.finish();
            return position;
        }
        return switch (node.asText()) {
            case "earliest" -> StartPosition.earliest();
            case "latest" -> StartPosition.latest();
            case "group" -> StartPosition.group();
            default -> throw new DriverException("unknown start " + node);
        };
    }

    static ObjectNode topic(TopicDescription topic) {
        ObjectNode node = object().put("topic", topic.name()).put("revision", topic.revision());
        ObjectNode config = node.putObject("config");
        topic.config().forEach(config::put);
        ArrayNode partitions = node.putArray("partitions");
        for (TopicDescription.Partition p : topic.partitions()) {
            partitions
                    .addObject()
                    .put("partition", p.partition())
                    .put("start_offset", p.startOffset())
                    .put("end_offset", p.endOffset())
                    .put("visible_offset", p.visibleOffset());
        }
        return node;
    }

    static ObjectNode group(GroupDescription group) {
        ObjectNode node = object().put("topic", group.topic())
                .put("group", group.group())
                .put("mode", group.mode().name().toLowerCase(Locale.ROOT))
                .put("members", group.members())
                .put("max_deliveries", group.maxDeliveries())
                .put("revision", group.revision())
                .put("paused", group.paused())
                .put("pause_reason", group.pauseReason())
                .put("acked", group.acked())
                .put("dead_lettered", group.deadLettered());
        ObjectNode config = node.putObject("config");
        group.config().forEach(config::put);
        ArrayNode members = node.putArray("member_list");
        for (GroupDescription.Member member : group.memberList()) {
            members.addObject()
                    .put("name", member.name())
                    .put("active", member.active())
                    .put("in_flight", member.inFlight());
        }
        ArrayNode partitions = node.putArray("partitions");
        for (GroupDescription.Partition p : group.partitions()) {
            partitions
                    .addObject()
                    .put("partition", p.partition())
                    .put("cursor", p.cursor())
                    .put("acked_above", p.ackedAbove())
                    .put("in_flight", p.inFlight())
                    .put("waiting_retry", p.waitingRetry())
                    .put("end_offset", p.endOffset())
                    .put("backlog", p.backlog())
                    .put("scheduled", p.scheduled())
                    .put("key_blocked", p.keyBlocked())
                    .put("dropped", p.dropped());
        }
        return node;
    }

    static ObjectNode snapshot(GroupSnapshot snapshot) {
        ObjectNode node = object().put("snapshot", snapshot.name())
                .put("taken_ms", snapshot.takenMs())
                .put("reason", snapshot.reason());
        ArrayNode partitions = node.putArray("partitions");
        for (GroupDescription.Partition p : snapshot.partitions()) {
            partitions
                    .addObject()
                    .put("partition", p.partition())
                    .put("cursor", p.cursor())
                    .put("acked_above", p.ackedAbove());
        }
        return node;
    }

    static ObjectNode seek(SeekOutcome outcome) {
        ObjectNode node = object().put("applied", outcome.applied());
        ArrayNode partitions = node.putArray("partitions");
        for (SeekOutcome.Partition p : outcome.partitions()) {
            partitions
                    .addObject()
                    .put("partition", p.partition())
                    .put("from", p.from())
                    .put("to", p.to())
                    .put("end", p.end());
        }
        return node;
    }
}
