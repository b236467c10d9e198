package io.spillway.broker.audit;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.time.Instant;
import java.util.Map;

/**
 * An act as the audit tells it.
 *
 * @param who client and address
 * @param operation such as group.seek
 * @param topic it is about, or empty
 * @param group it is about, or empty
 * @param reason given by who asked, or empty
 * @param detail what exactly: plan, job, position
 */
public record AuditEntry(
        String who, String operation, String topic, String group, String reason, Map<String, String> detail) {
    private static final JsonFactory JSON = new JsonFactory();

    /** Whether the act is asked for, done, or was not possible. */
    public enum Phase {
        REQUESTED("requested"),
        DONE("done"),
        FAILED("failed");

        private final String text;

        Phase(String text) {
            this.text = text;
        }
    }

    byte[] json(long nowMs, Phase phase, String act, String result) {
        ByteArrayOutputStream out = new ByteArrayOutputStream(256);
        try (JsonGenerator json = JSON.createGenerator(out)) {
            json.writeStartObject();
            json.writeStringField("time", Instant.ofEpochMilli(nowMs).toString());
            json.writeStringField("act", act);
            json.writeStringField("phase", phase.text);
            json.writeStringField("who", who);
            json.writeStringField("operation", operation);
            json.writeStringField("topic", topic);
            json.writeStringField("group", group);
            json.writeStringField("reason", reason);
            json.writeObjectFieldStart("detail");
            for (Map.Entry<String, String> part : detail.entrySet()) {
                json.writeStringField(part.getKey(), part.getValue());
            }
            json.writeEndObject();
            json.writeStringField("result", result);
            json.writeEndObject();
        } catch (IOException e) {
            throw new UncheckedIOException("a buffer in memory refused to be written", e);
        }
        return out.toByteArray();
    }
}
