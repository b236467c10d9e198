package io.spillway.client;

import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/**
 * Receives messages of one topic. In a group, the members share the topic's records, each one leased to one of them at a
 * time: at least once. A reader without a group sees every record, in order per partition and without repetition while
 * the subscription is open, reconnects included. Thread-safe.
 */
public interface Subscription extends AutoCloseable {
    String topic();

    /** The partitions it reads. */
    List<Integer> partitions();

    /**
     * Whether the broker delivers to it: false for a member of an {@link GroupMode#EXCLUSIVE} group that stands by, and
     * while there is no connection.
     */
    boolean isActive();

    /**
     * The next message, or null when none comes in time. Throws what ended the subscription (TOPIC_NOT_FOUND after the
     * topic was deleted, CLIENT_CLOSED after close). Not for a subscription with a handler.
     */
    @Nullable
    Message poll(Duration timeout);

    /** Up to {@code max} messages: waits for the first, then takes what is there. Empty when none comes in time. */
    List<Message> poll(int max, Duration timeout);

    /**
     * Sends all settlements made before and waits until the broker has them, as durable as the topic asks for. Throws
     * DEADLINE_EXCEEDED when that takes longer; they are still under way then.
     */
    void flushAcks(Duration timeout);

    /** Completes when the subscription is over: normally after close, exceptionally with what ended it. */
    CompletableFuture<Void> ended();

    /** {@link #close(Duration)} with 10 s. */
    @Override
    void close();

    /** Takes no more messages, waits for running handlers, sends the settlements, and releases what was not settled. */
    void close(Duration timeout);

    /**
     * Takes no more messages from the broker, gives back what nobody has begun, waits until all that was handed out is
     * settled, and closes. When that takes longer than the timeout, the rest is given back, too, and this throws
     * DEADLINE_EXCEEDED; the subscription is closed then all the same.
     */
    void drain(Duration timeout);
}
