package io.spillway.client;

import io.spillway.protocol.Limits;
import io.spillway.protocol.RecordParts;
import io.spillway.protocol.RecordView;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** A record to publish. The arrays are not copied: leave them alone until the record is acked. */
public final class OutgoingRecord {
    static final long NOW = -1;
    static final int ANY_PARTITION = -1;
    static final long NEVER = -1;

    private static final int MAX_HEADER_NAME_BYTES = 255;
    private static final int MAX_HEADER_VALUE_BYTES = 65_535;
    private static final String FIRST_ATTEMPT_HEADER = "spillway-first-attempt";
    /** The longest wait and the longest life that a record can be given from now on. */
    private static final Duration MAX_AHEAD = Duration.ofDays(36_500);

    final byte @Nullable [] key;
    final byte[] value;
    final List<Map.Entry<String, byte[]>> headers;
    final byte @Nullable [] idempotencyKey;
    final byte @Nullable [] trace;
    final long timestampMs;
    final int partition;
    private final When deliver;
    private final When expires;

    /** A moment: ms since 1970, or from when the record is published. */
    private record When(long ms, boolean relative) {
        static final When UNSET = new When(NEVER, false);

        static When at(String what, Instant time) {
            return new When(millis(what, time), false);
        }

        static When after(String what, Duration wait) {
            return new When(
                    Arguments.between(what, wait, Duration.ZERO, MAX_AHEAD).toMillis(), true);
        }

        long unixMs(long nowMs) {
            return relative ? nowMs + ms : ms;
        }
    }

    private OutgoingRecord(Builder builder) {
        key = builder.key;
        value = builder.value;
        headers = builder.headers;
        idempotencyKey = builder.idempotencyKey;
        trace = builder.trace;
        timestampMs = builder.timestampMs;
        partition = builder.partition;
        deliver = builder.deliver;
        expires = builder.expires;
    }

    private OutgoingRecord(byte @Nullable [] key, byte[] value) {
        this.key = key;
        this.value = value;
        headers = List.of();
        idempotencyKey = null;
        trace = null;
        timestampMs = NOW;
        partition = ANY_PARTITION;
        deliver = When.UNSET;
        expires = When.UNSET;
    }

    RecordParts parts(int keyHash, long nowMs) {
        return new RecordParts(
                timestampMs == NOW ? nowMs : timestampMs,
                key,
                keyHash,
                headers,
                value,
                idempotencyKey,
                trace,
                deliver.unixMs(nowMs),
                expires.unixMs(nowMs));
    }

    private static long millis(String what, Instant time) {
        Instant last = Instant.ofEpochMilli(Long.MAX_VALUE);
        if (time.isBefore(Instant.EPOCH) || time.isAfter(last)) {
            throw Arguments.invalid(what + " is " + time, "it must be a time from 1970 on that fits 63 bits of ms");
        }
        return time.toEpochMilli();
    }

    /** How long the value is. */
    public int valueBytes() {
        return value.length;
    }

    /** A record without a key; it goes to any partition. */
    public static OutgoingRecord of(byte[] value) {
        return new OutgoingRecord(null, value);
    }

    /** A record with a key of at most 1,024 bytes; records of one key go to one partition, in order. */
    public static OutgoingRecord of(byte @Nullable [] key, byte[] value) {
        if (key != null && key.length > Limits.MAX_KEY_BYTES) {
            throw Arguments.tooLarge("the key of a record", key.length, Limits.MAX_KEY_BYTES);
        }
        return new OutgoingRecord(key, value);
    }

    public static Builder builder(byte[] value) {
        return new Builder(value);
    }

    /** Builds one record. Not thread-safe. */
    public static final class Builder {
        private final byte[] value;
        private byte @Nullable [] key;
        private List<Map.Entry<String, byte[]>> headers = List.of();
        private byte @Nullable [] idempotencyKey;
        private byte @Nullable [] trace;
        private long timestampMs = NOW;
        private int partition = ANY_PARTITION;
        private When deliver = When.UNSET;
        private When expires = When.UNSET;
        private @Nullable Instant firstAttempt;

        private Builder(byte[] value) {
            this.value = value;
        }

        /** At most 1,024 bytes; records of one key go to one partition, in order. Default: none. */
        public Builder key(byte @Nullable [] bytes) {
            if (bytes != null && bytes.length > Limits.MAX_KEY_BYTES) {
                throw Arguments.tooLarge("the key of a record", bytes.length, Limits.MAX_KEY_BYTES);
            }
            key = bytes;
            return this;
        }

        /** The key as UTF-8. */
        public Builder key(String text) {
            return key(text.getBytes(StandardCharsets.UTF_8));
        }

        /** Adds a header: name 1 to 255 bytes of UTF-8, value at most 65,535 bytes, at most 64 of them. */
        public Builder header(String name, byte[] bytes) {
            int nameBytes = Arguments.notEmpty("a header's name", name).getBytes(StandardCharsets.UTF_8).length;
            if (nameBytes > MAX_HEADER_NAME_BYTES) {
                throw Arguments.tooLarge("a header's name", nameBytes, MAX_HEADER_NAME_BYTES);
            }
            if (bytes.length > MAX_HEADER_VALUE_BYTES) {
                throw Arguments.tooLarge("the header " + name, bytes.length, MAX_HEADER_VALUE_BYTES);
            }
            Arguments.between("the number of headers", headers.size() + 1L, 1, Limits.MAX_HEADERS);
            List<Map.Entry<String, byte[]>> more = headers.isEmpty() ? new ArrayList<>(4) : headers;
            more.add(Map.entry(name, bytes));
            headers = more;
            return this;
        }

        /** Adds a header whose value is text, as UTF-8. */
        public Builder header(String name, String text) {
            return header(name, text.getBytes(StandardCharsets.UTF_8));
        }

        /**
         * 1 to 255 bytes that name what this record does. Within the topic's window a second record with the same
         * idempotency key is not stored; its ack is a duplicate with the first one's offset. Default: none.
         */
        public Builder idempotencyKey(byte[] bytes) {
            if (bytes.length > Limits.MAX_DEDUP_ID_BYTES) {
                throw Arguments.tooLarge("an idempotency key", bytes.length, Limits.MAX_DEDUP_ID_BYTES);
            }
            Arguments.between("the length of an idempotency key", bytes.length, 1, Limits.MAX_DEDUP_ID_BYTES);
            idempotencyKey = bytes;
            return this;
        }

        /** The idempotency key as UTF-8. */
        public Builder idempotencyKey(String text) {
            return idempotencyKey(text.getBytes(StandardCharsets.UTF_8));
        }

        /** When it happened, ms since 1970. Default: when it is published. */
        public Builder timestampMs(long ms) {
            timestampMs = Arguments.between("timestampMs", ms, 0, Long.MAX_VALUE);
            return this;
        }

        /** The partition, from 0. Default: by key, else by idempotency key, else any. */
        public Builder partition(int index) {
            partition = (int) Arguments.between("partition", index, 0, Integer.MAX_VALUE);
            return this;
        }

        /** Trace context of 26 bytes: version, trace id 16, span id 8, flags. Default: none. */
        public Builder trace(byte[] context) {
            Arguments.between(
                    "the length of a trace context", context.length, RecordView.TRACE_BYTES, RecordView.TRACE_BYTES);
            trace = context;
            return this;
        }

        /** A trace context as in W3C Trace Context, {@code 00-<trace id>-<span id>-<flags>}. Default: none. */
        public Builder traceparent(String context) {
            return trace(TraceContext.parse(context));
        }

        /** Whether it has a trace context already. */
        public boolean hasTrace() {
            return trace != null;
        }

        /** Travels as the header {@value Message#CORRELATION_HEADER}. Default: none. */
        public Builder correlationId(String id) {
            return header(Message.CORRELATION_HEADER, id);
        }

        /**
         * Groups get it at that time at the earliest, by the broker's clock; what is behind it does not wait. Readers get it
         * as it lies in the log. Default: at once.
         */
        public Builder deliverAt(Instant time) {
            deliver = When.at("deliverAt", time);
            return this;
        }

        /** {@link #deliverAt} that long after it is published, 0 to 36,500 days, by this machine's clock. */
        public Builder deliverAfter(Duration wait) {
            deliver = When.after("deliverAfter", wait);
            return this;
        }

        /**
         * Of no use from that time on, by the broker's clock: a group that has not got it by then gets it no more, and it
         * goes to the dead-letter topic as EXPIRED. {@link Message#timeLeft} tells a consumer. Default: never.
         */
        public Builder expiresAt(Instant time) {
            expires = When.at("expiresAt", time);
            return this;
        }

        /** {@link #expiresAt} that long after it is published, 0 to 36,500 days, by this machine's clock. */
        public Builder expiresAfter(Duration life) {
            expires = When.after("expiresAfter", life);
            return this;
        }

        /**
         * Says that a record with this idempotency key may have been published before, the first time at that time: when
         * keys of then may have left the topic's window, it is refused with DEDUP_WINDOW_EXCEEDED rather than stored a
         * second time. Travels as the header spillway-first-attempt. Default: it is the first attempt.
         */
        public Builder firstAttempt(Instant time) {
            millis("firstAttempt", time);
            firstAttempt = time;
            return this;
        }

        public OutgoingRecord build() {
            if (firstAttempt != null) {
                header(FIRST_ATTEMPT_HEADER, Long.toString(firstAttempt.toEpochMilli()));
                firstAttempt = null;
            }
            return new OutgoingRecord(this);
        }
    }
}
