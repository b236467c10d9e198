package io.spillway.broker.cli;

import com.fasterxml.jackson.core.JsonGenerator;
import io.spillway.client.Header;
import io.spillway.client.Message;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Map;

/** A record of a dead-letter topic, with what its headers say of where it comes from and why it is there. */
record DeadLetter(Message message, Map<String, String> why) {
    private static final String PREFIX = "spillway-dlq-";

    static DeadLetter of(Message message) {
        Map<String, String> why = new HashMap<>();
        for (Header header : message.headers()) {
            if (header.name().startsWith(PREFIX)) {
                why.putIfAbsent(
                        header.name().substring(PREFIX.length()), new String(header.value(), StandardCharsets.UTF_8));
            }
        }
        return new DeadLetter(message, why);
    }

    /** What its header of this name says; empty for a record that was published here. */
    String get(String name) {
        return why.getOrDefault(name, "");
    }

    /** Topic, partition and offset it comes from. */
    String origin() {
        return get("topic").isEmpty() ? "" : get("topic") + "/" + get("partition") + "@" + get("offset");
    }

    void writeJson(JsonGenerator json) throws IOException {
        json.writeStartObject();
        json.writeNumberField("offset", message.offset());
        json.writeNumberField("append_time", message.appendTimeMs());
        for (String name : new String[] {"cause", "topic", "partition", "offset", "group", "attempts", "failures"}) {
            writeField(json, name);
        }
        json.writeStringField("error", get("error"));
        json.writeStringField("trace", get("trace"));
        byte[] key = message.key();
        if (key == null) {
            json.writeNullField("key");
        } else {
            json.writeStringField("key", new String(key, StandardCharsets.UTF_8));
        }
        json.writeNumberField("value_bytes", message.valueBuffer().remaining());
        json.writeEndObject();
    }

    private void writeField(JsonGenerator json, String name) throws IOException {
        String field =
                name.equals("offset") || name.equals("topic") || name.equals("partition") ? "origin_" + name : name;
        try {
            json.writeNumberField(field, Long.parseLong(get(name)));
        } catch (NumberFormatException e) {
            json.writeStringField(field, get(name));
        }
    }
}
