package io.spillway.broker.cli;

import com.fasterxml.jackson.core.JsonGenerator;
import com.google.protobuf.InvalidProtocolBufferException;
import io.spillway.broker.log.LogDumper;
import io.spillway.broker.records.StateRecords;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.List;
import java.util.Locale;
import java.util.function.Predicate;

/** Writes entries of a log, one a line, up to a limit. Not thread-safe. */
final class EntryWriter implements Predicate<LogDumper.Entry> {
    private final Console console;
    private final boolean json;
    private long left;

    EntryWriter(Console console, boolean json, long limit) {
        this.console = console;
        this.json = json;
        this.left = limit;
    }

    /** Writes it; false when it was the last one wanted. */
    @Override
    public boolean test(LogDumper.Entry entry) {
        try {
            if (json) {
                console.jsonLine(line -> writeJson(entry, line));
            } else {
                console.out().write((text(entry) + "\n").getBytes(StandardCharsets.UTF_8));
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return --left > 0;
    }

    void flush() throws IOException {
        console.out().flush();
    }

    private static String text(LogDumper.Entry entry) {
        StringBuilder text = new StringBuilder(String.format(
                Locale.ROOT,
                "shard=%d segment=%d position=%d sequence=%d",
                entry.shard(),
                entry.segment(),
                entry.position(),
                entry.sequence()));
        List<String> state = state(entry);
        if (!state.isEmpty()) {
            text.append(" state=").append(String.join(",", state));
        }
        if (entry.records() > 0) {
            text.append(" partition=").append(entry.partitionId());
            text.append(" offsets=[").append(entry.baseOffset()).append(',');
            text.append(entry.baseOffset() + entry.records()).append(')');
            text.append(" bytes=").append(entry.batchBytes());
            text.append(" append_time=").append(Instant.ofEpochMilli(entry.appendTimeMs()));
        }
        return text.append(entry.relocated() ? " relocated" : "")
                .append(entry.intact() ? "" : " CORRUPT")
                .toString();
    }

    private static void writeJson(LogDumper.Entry entry, JsonGenerator json) throws IOException {
        json.writeStartObject();
        json.writeNumberField("shard", entry.shard());
        json.writeNumberField("segment", entry.segment());
        json.writeNumberField("position", entry.position());
        json.writeNumberField("sequence", entry.sequence());
        json.writeBooleanField("relocated", entry.relocated());
        json.writeBooleanField("intact", entry.intact());
        json.writeArrayFieldStart("state");
        for (String kind : state(entry)) {
            json.writeString(kind);
        }
        json.writeEndArray();
        if (entry.records() > 0) {
            json.writeNumberField("partition_id", entry.partitionId());
            json.writeNumberField("base_offset", entry.baseOffset());
            json.writeNumberField("records", entry.records());
            json.writeNumberField("bytes", entry.batchBytes());
            json.writeNumberField("append_time", entry.appendTimeMs());
        }
        json.writeEndObject();
    }

    /** The kinds of the records of state in it. */
    private static List<String> state(LogDumper.Entry entry) {
        byte[] state = entry.state();
        if (state == null) {
            return List.of();
        }
        try {
            return StateRecords.parseFrom(state).getRecordsList().stream()
                    .map(change -> change.getKindCase().name())
                    .toList();
        } catch (InvalidProtocolBufferException e) {
            // What another version wrote is still an entry to list.
            return List.of("UNREADABLE");
        }
    }
}
