package io.spillway.client.net;

public final class InFlightWindow {
    public enum Signal {
        ELEVATED,
        OVERLOADED,
        TIMEOUT
    }

    private int limit = 16;
    private int acks;

    public int limit() {
        return limit;
    }

    public void onAck(int inFlight) {
        if (inFlight * 2 >= limit && ++acks >= limit && limit < 256) {
            limit++;
            acks = 0;
        }
    }

    public void onSignal(Signal signal, long nowMs) {
        limit = Math.max(1, limit * (signal == Signal.ELEVATED ? 9 : 7) / 10);
    }
}
