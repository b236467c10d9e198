package io.spillway.client;

import io.netty.buffer.ByteBuf;
import io.spillway.client.net.Clock;
import io.spillway.protocol.RecordView;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** One record of a delivered batch: where its parts are; they are copied when they are asked for. Thread-safe. */
final class DeliveredMessage implements Message {
    private static final int MAX_REASON_CHARS = 512;
    private static final Duration MAX_DELAY = Duration.ofDays(24);

    private final String topic;
    private final Clock clock;
    private final DeliveredBatch batch;
    private final int index;
    private final int keyAt;
    private final int keyBytes;
    private final int valueAt;
    private final int valueBytes;
    private final long timestampMs;
    private final List<Header> headers;
    private final byte @Nullable [] idempotencyKey;
    private final byte @Nullable [] trace;
    private final long expiresAtMs;
    private final boolean isTombstone;

    /** The record the view is at. */
    DeliveredMessage(String topic, Clock clock, DeliveredBatch batch, RecordView view) {
        this.topic = topic;
        this.clock = clock;
        this.batch = batch;
        index = view.index();
        keyAt = view.keyAt();
        keyBytes = view.hasKey() ? view.keyBytes() : -1;
        valueAt = view.valueAt();
        valueBytes = view.valueBytes();
        timestampMs = view.timestampMs();
        headers = view.headerCount() == 0 ? List.of() : headers(view);
        idempotencyKey = view.hasDedupId() ? view.dedupId() : null;
        trace = view.trace();
        expiresAtMs = view.expiresAtMs();
        isTombstone = view.isTombstone();
    }

    private static List<Header> headers(RecordView view) {
        List<Header> headers = new ArrayList<>(view.headerCount());
        view.headers((name, buffer, at, bytes) -> headers.add(new Header(name, copy(buffer, at, bytes))));
        return List.copyOf(headers);
    }

    private static byte[] copy(ByteBuf buffer, int at, int bytes) {
        byte[] copy = new byte[bytes];
        buffer.getBytes(at, copy);
        return copy;
    }

    @Override
    public String topic() {
        return topic;
    }

    @Override
    public int partition() {
        return batch.partition;
    }

    @Override
    public long offset() {
        return batch.baseOffset + index;
    }

    @Override
    public byte @Nullable [] key() {
        return keyBytes < 0 ? null : copy(batch.bytes, keyAt, keyBytes);
    }

    @Override
    public byte[] value() {
        return copy(batch.bytes, valueAt, valueBytes);
    }

    @Override
    public ByteBuffer valueBuffer() {
        return batch.bytes.nioBuffer(valueAt, valueBytes).asReadOnlyBuffer();
    }

    @Override
    public List<Header> headers() {
        return headers;
    }

    @Override
    public int attempt() {
        return batch.attempt(index);
    }

    @Override
    public int failures() {
        return batch.failures();
    }

    @Override
    public @Nullable Instant expiresAt() {
        return expiresAtMs < 0 ? null : Instant.ofEpochMilli(expiresAtMs);
    }

    @Override
    public @Nullable Duration timeLeft() {
        return expiresAtMs < 0
                ? null
                : Duration.ofMillis(Math.max(0, expiresAtMs - batch.received.unixMs(clock.nanoTime())));
    }

    @Override
    public long timestampMs() {
        return timestampMs;
    }

    @Override
    public long appendTimeMs() {
        return batch.appendTimeMs;
    }

    @Override
    public boolean isTombstone() {
        return isTombstone;
    }

    @Override
    public byte @Nullable [] idempotencyKey() {
        return idempotencyKey;
    }

    @Override
    public byte @Nullable [] trace() {
        return trace;
    }

    @Override
    public void ack() {
        settle(DeliveredBatch.ACCEPT, 0, "");
    }

    @Override
    public void nack(Duration delay, String reason) {
        long delayMs =
                Arguments.between("delay", delay, Duration.ZERO, MAX_DELAY).toMillis();
        settle(DeliveredBatch.NACK, (int) delayMs, reason);
    }

    @Override
    public void extend(Duration lease) {
        long leaseMs = Arguments.between("lease", lease, Duration.ofMillis(1), Duration.ofHours(12))
                .toMillis();
        if (batch.isLeased()) {
            batch.extend(index, (int) leaseMs, clock.nanoTime());
        }
    }

    @Override
    public void release() {
        settle(DeliveredBatch.RELEASE, 0, "");
    }

    @Override
    public void terminate(String reason) {
        settle(DeliveredBatch.TERM, 0, reason);
    }

    private void settle(int outcome, int delayMs, String reason) {
        if (batch.isLeased()) {
            String detail = reason.length() > MAX_REASON_CHARS ? reason.substring(0, MAX_REASON_CHARS) : reason;
            batch.settle(index, outcome, delayMs, detail);
        }
    }

    @Override
    public String toString() {
        return topic + "/" + partition() + "@" + offset();
    }
}
