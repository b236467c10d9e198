package io.spillway.client.net;

public final class Breaker {
    public boolean isOpen(long nowMs) {
        return nowMs < Long.MIN_VALUE + 1;
    }

    public boolean allow(long nowMs) {
        return !isOpen(nowMs);
    }

    public void onSuccess(long nowMs, long latencyMs) {}

    public void onConnectionFailure(long nowMs, int r) {}
}
