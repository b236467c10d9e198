package io.spillway.broker.cli;

import com.fasterxml.jackson.core.JsonGenerator;
import io.spillway.client.Durability;
import io.spillway.client.PublishAck;
import java.io.IOException;
import java.util.EnumMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Counts what became of published records: the input counts them in, the client's network thread out. Thread-safe. */
final class PublishTally {
    private final Map<Durability, Long> reached = new EnumMap<>(Durability.class);
    private long published;
    private long bytes;
    private long acked;
    private long duplicates;
    private @Nullable Failure first;

    /**
     * The first record that failed.
     *
     * @param record its number in the input, from 1
     */
    record Failure(long record, Throwable error) {}

    /** Counts a record in and returns its number, from 1. */
    synchronized long published(int recordBytes) {
        bytes += recordBytes;
        return ++published;
    }

    synchronized void acked(PublishAck ack) {
        acked++;
        duplicates += ack.duplicate() ? 1 : 0;
        reached.merge(ack.reached(), 1L, Long::sum);
    }

    synchronized void failed(long record, Throwable error) {
        if (first == null) {
            first = new Failure(record, error);
        }
    }

    synchronized @Nullable Failure firstFailure() {
        return first;
    }

    synchronized long published() {
        return published;
    }

    synchronized long unacked() {
        return published - acked;
    }

    synchronized String progress(long elapsedNs) {
        return "published " + published + ", acked " + acked + ", " + perSecond(elapsedNs) + " records/s";
    }

    synchronized String text(String topic, long elapsedNs) {
        StringBuilder levels = new StringBuilder();
        reached.forEach((level, count) -> levels.append(levels.isEmpty() ? "" : ", ")
                .append(level)
                .append(' ')
                .append(count));
        return "published " + published + " records (" + bytes + " bytes) to " + topic + " in " + elapsedNs / 1_000_000
                + " ms: " + perSecond(elapsedNs) + " records/s"
                + "\nacked " + acked + ", duplicates " + duplicates + ", not acked " + (published - acked)
                + "\ndurability reached: " + (levels.isEmpty() ? "none" : levels);
    }

    synchronized void writeJson(String topic, long elapsedNs, JsonGenerator json) throws IOException {
        json.writeStartObject();
        json.writeStringField("topic", topic);
        json.writeNumberField("published", published);
        json.writeNumberField("bytes", bytes);
        json.writeNumberField("acked", acked);
        json.writeNumberField("duplicates", duplicates);
        json.writeNumberField("not_acked", published - acked);
        json.writeObjectFieldStart("durability");
        for (Map.Entry<Durability, Long> level : reached.entrySet()) {
            json.writeNumberField(level.getKey().name(), level.getValue());
        }
        json.writeEndObject();
        json.writeNumberField("elapsed_ms", elapsedNs / 1_000_000);
        json.writeNumberField("records_per_second", perSecond(elapsedNs));
        json.writeEndObject();
    }

    private long perSecond(long elapsedNs) {
        return (long) (acked / (Math.max(1, elapsedNs) / 1e9));
    }
}
