package io.spillway.client;

/**
 * Sees what a client does, batch by batch, never record by record. Called on the client's network thread: must be quick
 * and must not throw. All methods do nothing by default.
 */
public interface ClientMetrics {
    ClientMetrics NONE = new ClientMetrics() {};

    default void onConnected(String endpoint) {}

    /** A connection, or an attempt to get one, failed. */
    default void onDisconnected(String endpoint, SpillwayException cause) {}

    /** A batch was sent; {@code attempt} is 1 for the first time. */
    default void onBatchSent(String topic, int partition, int records, int bytes, int attempt) {}

    /** A batch was acked, {@code latencyNs} after it was sent. */
    default void onBatchAcked(String topic, int partition, int records, long latencyNs) {}

    /** Records failed for good. */
    default void onPublishFailed(String topic, int partition, int records, SpillwayException error) {}

    /** The broker asked to wait, by a signal, with an ack, or as it refused something for load. */
    default void onThrottled(String scope, long retryAfterMs) {}

    /** What the broker says of itself has changed. */
    default void onPressure(Pressure pressure) {}

    /** How the client is has changed, as the broker is told. */
    default void onHealth(Health health) {}

    /** A batch arrived; {@code records} of it are for this subscription. */
    default void onBatchReceived(String topic, int partition, int records, int bytes) {}
}
