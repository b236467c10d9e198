package io.spillway.client;

import java.time.Duration;

/**
 * A connection to Spillway that heals itself: while it is open it reconnects for ever, reopens its producers and
 * subscriptions, and sends again what has no verdict yet.
 *
 * <pre>{@code
 * try (SpillwayClient client = SpillwayClient.builder().endpoints("localhost:7400").connect();
 *         Producer producer = client.producer("orders").open()) {
 *     producer.publishAndWait(OutgoingRecord.of(key, value), Duration.ofSeconds(5));
 * }
 * }</pre>
 *
 * One client has one network thread, {@code spillway-client-io}, on which futures and callbacks complete: never block
 * there. Thread-safe.
 */
public interface SpillwayClient extends AutoCloseable {
    static ClientBuilder builder() {
        return new ClientBuilder();
    }

    /** Begins a producer of the topic. */
    ProducerBuilder producer(String topic);

    /** Begins a subscription to the topic: in a group (shared work, leases, acks) or as a reader of its own. */
    SubscriptionBuilder subscribe(String topic);

    /** How the client is, as of the last report. Always ready when reports are turned off. */
    Health health();

    /** What the broker has said last for all that this client publishes. */
    Pressure pressure();

    /**
     * What operators have toggled, as it is for this client. What the broker said last holds while the client is not connected.
     * A switch of the application has a name that begins with {@code app.}: {@code client.toggles().isEnabled("app.beta")}.
     */
    Toggles toggles();

    /** Topics and groups. */
    Admin admin();

    /** {@link #close(Duration)} with 10 s. */
    @Override
    void close();

    /**
     * Refuses new work, sends what is buffered, waits for its acks, gives leased messages back and disconnects. What has
     * no verdict when the time is over fails: CLIENT_CLOSED when it was never sent, OUTCOME_UNKNOWN otherwise. Closing
     * twice is fine.
     */
    void close(Duration timeout);
}
