package io.spillway.client.net;

import io.spillway.client.core.ConnectLimit;

/** When clients may connect again. Thread-safe. */
final class ConnectTurns {
    /** Of all clients of this process. */
    static final ConnectTurns OF_PROCESS = new ConnectTurns(Clock.SYSTEM);

    private final Clock clock;
    private final long startNs;
    private final ConnectLimit limit = new ConnectLimit();

    ConnectTurns(Clock clock) {
        this.clock = clock;
        startNs = clock.nanoTime();
    }

    /** Takes a turn; how long until it comes. */
    synchronized long takeMs() {
        return limit.take((clock.nanoTime() - startNs) / 1_000_000);
    }
}
