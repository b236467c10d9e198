package io.spillway.client;

import java.nio.ByteBuffer;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * One delivered record. In a group it is leased: settle it with {@link #ack}, {@link #nack}, {@link #release} or
 * {@link #terminate} before the lease is over, else it is delivered again. The first settlement counts, later ones do
 * nothing. Settlements are sent together, at the latest after 20 ms; {@link Subscription#flushAcks} waits until the
 * broker has them. For a reader without a group they do nothing at all. Thread-safe.
 */
public interface Message {
    /** The header that carries the correlation id. */
    String CORRELATION_HEADER = "spillway-correlation-id";

    String topic();

    int partition();

    long offset();

    /** A copy of the key, or null when the record has none. */
    byte @Nullable [] key();

    /** A copy of the value. */
    byte[] value();

    /** A read-only view of the value, without a copy. */
    ByteBuffer valueBuffer();

    List<Header> headers();

    /** 1 for the first delivery, 2 for the second, ... */
    int attempt();

    /** How many of the deliveries before failed: by a nack or because the lease ran out. Never more than attempt() - 1. */
    int failures();

    /** When it is of no use any more, by the broker's clock; null when it never expires. */
    @Nullable
    Instant expiresAt();

    /**
     * How long it is still of use, zero when no longer; null when it never expires. Counted from the broker's clock at the
     * delivery, so that this machine's may be wrong.
     */
    @Nullable
    Duration timeLeft();

    /** The publisher's time, ms since 1970. */
    long timestampMs();

    /** The broker's time, ms since 1970. */
    long appendTimeMs();

    byte @Nullable [] idempotencyKey();

    /** Whether its publisher marked it as the end of its key. The clients here publish none; those of others may. */
    boolean isTombstone();

    /** Trace context of 26 bytes, or null. */
    byte @Nullable [] trace();

    /** The trace context as in W3C Trace Context, or null. */
    default @Nullable String traceparent() {
        byte[] trace = trace();
        return trace == null ? null : TraceContext.format(trace);
    }

    /** The correlation id, or null. */
    default @Nullable String correlationId() {
        for (Header header : headers()) {
            if (header.name().equals(CORRELATION_HEADER)) {
                return header.text();
            }
        }
        return null;
    }

    /** Done; it is not delivered to the group again. */
    void ack();

    /** Failed; delivered again after the group's backoff, or dead-lettered when that was the last attempt. */
    default void nack() {
        nack("");
    }

    /** The same, with a reason of at most 512 characters, which goes along to the dead-letter topic. */
    default void nack(String reason) {
        nack(Duration.ZERO, reason);
    }

    /** The same, but delivered again after this delay, at most 24 days. A delay of zero is the group's backoff. */
    void nack(Duration delay, String reason);

    /** Makes the lease end that long from now. At most 12 h. Does not settle. */
    void extend(Duration lease);

    /** Not handled; delivered again at once, and not counted as a failed delivery. */
    void release();

    /** Can never be handled; goes to the dead-letter topic now. */
    void terminate(String reason);
}
