package io.spillway.client;

/** How a client is, from well to bad; the order is that of the wire. */
public enum HealthState {
    READY,
    /** It should have less work. */
    DEGRADED,
    /** It should have none. */
    CRITICAL,
    /** The client, or each of its subscriptions, is being closed. */
    DRAINING
}
