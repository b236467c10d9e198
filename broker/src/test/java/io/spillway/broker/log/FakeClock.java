package io.spillway.broker.log;

import io.spillway.broker.base.Clock;

/** A clock that stands still until it is told to move. */
final class FakeClock implements Clock {
    private long nowMs = 1_000_000;

    void advance(long ms) {
        nowMs += ms;
    }

    @Override
    public long nowMs() {
        return nowMs;
    }

    @Override
    public long nanoTime() {
        return nowMs * 1_000_000;
    }
}
