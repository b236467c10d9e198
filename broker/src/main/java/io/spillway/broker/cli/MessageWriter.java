package io.spillway.broker.cli;

import com.fasterxml.jackson.core.JsonGenerator;
import io.spillway.client.Header;
import io.spillway.client.Message;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** Writes consumed messages, one a line: the bare value, or everything as JSON. Not thread-safe. */
final class MessageWriter {
    private final Console console;
    private final boolean json;

    MessageWriter(Console console, boolean json) {
        this.console = console;
        this.json = json;
    }

    void write(Message message) throws IOException {
        if (json) {
            console.jsonLine(line -> writeJson(message, line));
        } else {
            console.out().write(message.value());
            console.out().write('\n');
        }
    }

    /** After this, what was written is with the reader of the output. */
    void flush() throws IOException {
        console.out().flush();
    }

    private static void writeJson(Message message, JsonGenerator json) throws IOException {
        json.writeStartObject();
        json.writeStringField("topic", message.topic());
        json.writeNumberField("partition", message.partition());
        json.writeNumberField("offset", message.offset());
        writeBytes(json, "key", message.key());
        writeBytes(json, "value", message.value());
        json.writeObjectFieldStart("headers");
        Map<String, List<Header>> byName = message.headers().stream()
                .collect(Collectors.groupingBy(Header::name, LinkedHashMap::new, Collectors.toList()));
        for (Map.Entry<String, List<Header>> header : byName.entrySet()) {
            writeHeader(json, header.getKey(), header.getValue());
        }
        json.writeEndObject();
        json.writeNumberField("attempt", message.attempt());
        json.writeNumberField("timestamp", message.timestampMs());
        json.writeNumberField("append_time", message.appendTimeMs());
        if (message.isTombstone()) {
            json.writeBooleanField("tombstone", true);
        }
        json.writeEndObject();
    }

    private static void writeHeader(JsonGenerator json, String name, List<Header> values) throws IOException {
        json.writeFieldName(name);
        if (values.size() == 1) {
            writeHeaderValue(json, values.get(0).value());
            return;
        }
        json.writeStartArray();
        for (Header value : values) {
            writeHeaderValue(json, value.value());
        }
        json.writeEndArray();
    }

    private static void writeHeaderValue(JsonGenerator json, byte[] value) throws IOException {
        String text = text(value);
        if (text != null) {
            json.writeString(text);
            return;
        }
        json.writeStartObject();
        json.writeFieldName("base64");
        json.writeBinary(value);
        json.writeEndObject();
    }

    private static void writeBytes(JsonGenerator json, String name, byte @Nullable [] bytes) throws IOException {
        String text = bytes == null ? null : text(bytes);
        if (bytes == null) {
            json.writeNullField(name);
        } else if (text != null) {
            json.writeStringField(name, text);
        } else {
            json.writeFieldName(name + "_base64");
            json.writeBinary(bytes);
        }
    }

    /** The bytes as text, or null when they are not UTF-8. */
    private static @Nullable String text(byte[] bytes) {
        try {
            return StandardCharsets.UTF_8
                    .newDecoder()
                    .decode(ByteBuffer.wrap(bytes))
                    .toString();
        } catch (CharacterCodingException e) {
            return null;
        }
    }
}
