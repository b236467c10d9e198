package io.spillway.broker.logging;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import io.spillway.broker.base.Clock;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import org.slf4j.event.Level;

/**
 * Writes one JSON object a line: {@code ts}, {@code level}, {@code logger}, {@code thread}, {@code message}, then the facts of the
 * line as strings, and {@code exception}, the stack trace. Thread-safe.
 */
final class JsonLines {
    private static final DateTimeFormatter TIME = DateTimeFormatter.ofPattern("uuuu-MM-dd'T'HH:mm:ss.SSSX", Locale.ROOT)
            .withZone(ZoneOffset.UTC);
    private static final Set<String> OURS = Set.of("ts", "level", "logger", "thread", "message", "exception");
    private static final int MOST_TRACE_CHARS = 16 << 10;

    private final JsonFactory json = new JsonFactory();
    private final OutputStream out;
    private final Clock clock;

    JsonLines(OutputStream out) {
        this(out, Clock.SYSTEM);
    }

    JsonLines(OutputStream out, Clock clock) {
        this.out = out;
        this.clock = clock;
    }

    void write(Level level, String logger, LogFacts facts) {
        try {
            byte[] line = line(level, logger, facts);
            synchronized (out) {
                out.write(line);
                out.flush();
            }
        } catch (IOException e) {
            // There is nowhere else to say it, and the broker's work does not depend on it.
        }
    }

    private byte[] line(Level level, String logger, LogFacts facts) throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream(512);
        try (JsonGenerator line = json.createGenerator(bytes)) {
            line.writeStartObject();
            line.writeStringField("ts", TIME.format(Instant.ofEpochMilli(clock.nowMs())));
            line.writeStringField("level", level.name());
            line.writeStringField("logger", logger);
            line.writeStringField("thread", Thread.currentThread().getName());
            line.writeStringField("message", facts.message());
            boolean isIncident = level.toInt() >= Level.WARN.toInt();
            if (isIncident && !facts.fields().containsKey("what")) {
                line.writeStringField("what", facts.message());
            }
            for (Map.Entry<String, String> field : facts.fields().entrySet()) {
                String key = field.getKey();
                line.writeStringField(OURS.contains(key) ? key + "_" : key, field.getValue());
            }
            Throwable throwable = facts.throwable();
            if (throwable != null) {
                line.writeStringField("exception", trace(throwable));
            }
            line.writeEndObject();
        }
        bytes.write('\n');
        return bytes.toByteArray();
    }

    private static String trace(Throwable throwable) {
        StringBuilder text = new StringBuilder(throwable.toString());
        Throwable each = throwable;
        while (each != null && text.length() < MOST_TRACE_CHARS) {
            for (StackTraceElement frame : each.getStackTrace()) {
                text.append("\n\tat ").append(frame);
            }
            each = each.getCause();
            if (each != null) {
                text.append("\nCaused by: ").append(each);
            }
        }
        text.setLength(Math.min(text.length(), MOST_TRACE_CHARS));
        return text.toString();
    }
}
