package io.spillway.client.core;

import io.spillway.protocol.v1.PressureState;

/** One endpoint, and what the client knows of it. Not thread-safe. */
public final class Candidate {
    private final String endpoint;
    final Breaker breaker = new Breaker();
    String zone;
    PressureState pressure = PressureState.P_NORMAL;
    /** Whether it is a node of a cluster, as far as it has said. */
    boolean clustered;
    /** Whether its cluster named it as the leader when it was heard of last. */
    boolean leads;
    /** Whether it was ever tried. */
    boolean dialed;

    long blockedUntilMs = Long.MIN_VALUE;
    long drainingUntilMs = Long.MIN_VALUE;
    long failedMs = Long.MIN_VALUE;

    /** @param zone empty = not known yet */
    public Candidate(String endpoint, String zone) {
        this.endpoint = endpoint;
        this.zone = zone;
    }

    public String endpoint() {
        return endpoint;
    }

    /** Counts the calls on its connections, too. */
    public Breaker breaker() {
        return breaker;
    }

    boolean isBlocked(long nowMs) {
        return nowMs < blockedUntilMs;
    }

    boolean isDraining(long nowMs) {
        return nowMs < drainingUntilMs;
    }
}
