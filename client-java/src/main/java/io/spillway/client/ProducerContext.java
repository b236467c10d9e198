package io.spillway.client;

import io.netty.buffer.ByteBufAllocator;
import io.spillway.client.net.Clock;
import io.spillway.protocol.RecordBatch;
import io.spillway.protocol.v1.Error;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/** What the partitions of one producer share. Thread-safe, but for the producer's id: confined to the network thread. */
final class ProducerContext {
    private final String topic;
    private final ProducerSettings settings;
    private final ClientContext client;
    private final BufferSpace space;
    private final CompletableFuture<Void> opened = new CompletableFuture<>();
    private volatile String obstacle = "no answer from the broker";
    private long producerId;

    ProducerContext(String topic, ProducerSettings settings, ClientContext client) {
        this.topic = topic;
        this.settings = settings;
        this.client = client;
        space = new BufferSpace(settings.bufferBytes());
    }

    String topic() {
        return topic;
    }

    ProducerSettings settings() {
        return settings;
    }

    Clock clock() {
        return client.clock();
    }

    PublishFlow flow() {
        return client.flow();
    }

    Retries retries() {
        return client.retries();
    }

    ClientMetrics metrics() {
        return client.metrics();
    }

    /** The broker has said something new of its load. */
    void onPressure(Pressure changed) {
        client.onPressure(changed);
    }

    ByteBufAllocator allocator() {
        return client.allocator();
    }

    BufferSpace space() {
        return space;
    }

    /** Why there is no connection at present. */
    String disconnectedBecause() {
        return client.disconnectedBecause();
    }

    /** Tells the endpoint's breaker; {@code error} is null for a success. */
    void onOutcome(@Nullable Error error, long sentNs) {
        client.onOutcome(error, sentNs);
    }

    /** Runs the task on the network thread after that time. */
    void after(long delayNs, Runnable task) {
        client.loop().schedule(task, delayNs, TimeUnit.NANOSECONDS);
    }

    /** Completes when the first partition is open, or cannot be opened. */
    CompletableFuture<Void> opened() {
        return opened;
    }

    /** The id that all partitions share; 0 while there is none, and always for a named producer, which has one in each. */
    long producerId() {
        return producerId;
    }

    void onOpened(long id) {
        if (settings.name().isEmpty()) {
            producerId = id;
        }
        opened.complete(null);
    }

    /** Opening was refused; it is tried again. */
    void onOpenRefused(SpillwayException cause) {
        obstacle = cause.toString();
    }

    /** Why it is not open. */
    String obstacle() {
        return obstacle;
    }

    void onOpenFailed(SpillwayException cause) {
        opened.completeExceptionally(cause);
    }

    int maxBatchBytes() {
        int allowed = client.maxBatchBytes();
        return Math.min(settings.maxBatchBytes(), allowed);
    }

    /** Bytes of the largest record, its index entry included. */
    int maxRecordBytes() {
        return Math.min(
                client.maxRecordBytes() + RecordBatch.INDEX_ENTRY_BYTES,
                client.maxBatchBytes() - RecordBatch.HEADER_BYTES);
    }
}
