package io.spillway.client;

/**
 * What the broker's clock was at a moment of this machine's monotonic one. Immutable.
 *
 * @param unixMs by the broker
 * @param atNs by this machine, when that arrived
 */
record BrokerTime(long unixMs, long atNs) {
    /** The broker's time at that moment of this machine's monotonic clock. */
    long unixMs(long nowNs) {
        return unixMs + (nowNs - atNs) / 1_000_000;
    }
}
