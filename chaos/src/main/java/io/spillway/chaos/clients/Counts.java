package io.spillway.chaos.clients;

import com.fasterxml.jackson.databind.JsonNode;

/** What the metrics hook of a client has counted. */
public record Counts(
        long connected, long disconnected, long sent, long resent, long acked, long failed, long throttled) {
    static Counts of(JsonNode events) {
        return new Counts(
                events.path("connected").asLong(),
                events.path("disconnected").asLong(),
                events.path("batches_sent").asLong(),
                events.path("batches_resent").asLong(),
                events.path("batches_acked").asLong(),
                events.path("records_failed").asLong(),
                events.path("throttled").asLong());
    }

    /** What was counted since then. */
    public Counts since(Counts before) {
        return new Counts(
                connected - before.connected,
                disconnected - before.disconnected,
                sent - before.sent,
                resent - before.resent,
                acked - before.acked,
                failed - before.failed,
                throttled - before.throttled);
    }

    public Counts plus(Counts other) {
        return new Counts(
                connected + other.connected,
                disconnected + other.disconnected,
                sent + other.sent,
                resent + other.resent,
                acked + other.acked,
                failed + other.failed,
                throttled + other.throttled);
    }
}
