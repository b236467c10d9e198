package io.spillway.broker.session;

/**
 * Settings of sessions.
 *
 * @param heartbeatMs interval after which a silent peer is pinged twice, in ms; three without a byte end the connection
 * @param maxFrameBytes largest frame after the handshake, in bytes
 * @param windowBatches batches one publisher may have unanswered
 * @param windowBytes bytes one publisher may have unanswered
 * @param publishBudgetBytes bytes of all publishers that may wait in the broker
 * @param autoCreatePartitions partitions of a topic that is created because somebody publishes to it; 0 = never created so
 * @param otherZonePercent what is left of the weight of a group's member in another zone, 1 to 100
 * @param controls whether there is pressure, and consumers are weighed by their health
 */
public record SessionConfig(
        int heartbeatMs,
        int maxFrameBytes,
        int windowBatches,
        long windowBytes,
        long publishBudgetBytes,
        int autoCreatePartitions,
        int otherZonePercent,
        boolean controls) {
    public static final SessionConfig DEFAULT =
            new SessionConfig(5_000, 16 << 20, 256, 16L << 20, 256L << 20, 0, 50, true);
}
