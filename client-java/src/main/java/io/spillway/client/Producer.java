package io.spillway.client;

import java.time.Duration;
import java.util.concurrent.CompletableFuture;

/**
 * Publishes to one topic, in batches. Each record ends in exactly one outcome: a {@link PublishAck}, or a
 * {@link SpillwayException}. Records of one partition are stored in the order in which they were published by a thread;
 * a connection or broker that fails in between neither loses nor doubles one, as long as it is back within the delivery
 * timeout.
 *
 * <p>Errors: DEADLINE_EXCEEDED when the delivery timeout passed before anything was sent; OUTCOME_UNKNOWN when it passed
 * after; THROTTLED, OVERLOADED or READ_ONLY when it passed while the broker asked to wait or gave no credit, or whatever else
 * it kept refusing with; LOCAL_BUFFER_FULL when the buffer stayed full for {@code maxBlock}; TOO_LARGE; CLIENT_CLOSED; and
 * what the broker answers. Thread-safe.
 */
public interface Producer extends AutoCloseable {
    String topic();

    /** How many partitions the topic has. */
    int partitions();

    /** The worst of what the broker has said for the connection and for the partitions of this topic. */
    Pressure pressure();

    /**
     * Tells, without waiting, whether a record that is published now could be sent at once: there is a connection and space in
     * the buffer, and the broker lets a partition at least have something. {@link #pressure} says why not.
     */
    boolean mayPublish();

    /**
     * Publishes; waits up to {@code maxBlock} for space in the buffer. The future completes on the client's network
     * thread; what depends on it must not block there. Errors of the arguments are thrown, all others are in the future.
     */
    CompletableFuture<PublishAck> publish(OutgoingRecord record);

    /** The same without a future. */
    void publish(OutgoingRecord record, PublishCallback callback);

    /** The same, but false at once, and the callback is never called, when the buffer has no space. */
    boolean tryPublish(OutgoingRecord record, PublishCallback callback);

    /** Publishes and waits; the timeout replaces the delivery timeout when it is shorter. Throws what went wrong. */
    PublishAck publishAndWait(OutgoingRecord record, Duration timeout);

    /**
     * Sends what is buffered without lingering and waits until all that was published before has its outcome. Throws
     * DEADLINE_EXCEEDED when that takes longer; the records are still under way then.
     */
    void flush(Duration timeout);

    /** {@link #close(Duration)} with 10 s. */
    @Override
    void close();

    /** Flushes and ends the producer. What has no outcome in time fails as {@link SpillwayClient#close(Duration)} says. */
    void close(Duration timeout);
}
