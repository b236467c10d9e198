package io.spillway.client.core;

import io.spillway.protocol.v1.PressureState;

/**
 * How many batches may be unanswered on a connection: grows by one per full window of acks while it is used and the broker
 * is at ease, shrinks by a share on pressure (additive increase, multiplicative decrease: Chiu and Jain). After a refusal of
 * the whole connection one batch goes first, and each ack lets one more go until the window is full. Driven by
 * vectors/window.json. Not thread-safe.
 */
public final class InFlightWindow {
    /** Why the window shrinks. */
    public enum Signal {
        ELEVATED,
        THROTTLED,
        OVERLOADED,
        TIMEOUT
    }

    private static final int INITIAL = 16;
    private static final int MIN = 1;
    private static final int MAX = 256;
    private static final long COOLDOWN_MS = 100;
    private static final int DENOMINATOR = 10;
    private static final int KEEP_ON_ELEVATED = 9;
    private static final int KEEP_ON_OVERLOAD = 7;

    private int limit = INITIAL;
    /** How many may be unanswered while it fills again; 0 = as many as the limit. */
    private int ramp;

    private int acks;
    private boolean hasShrunk;
    private long lastShrinkMs;
    private PressureState state = PressureState.P_NORMAL;

    public int limit() {
        return ramp > 0 ? Math.min(ramp, limit) : limit;
    }

    /** What was sent was refused because of all that this connection sends. */
    public void onRefused() {
        ramp = 1;
    }

    /** The broker's state; the window grows in NORMAL only. */
    public void onState(PressureState newState) {
        state = newState;
    }

    /** @param inFlight batches unanswered when the ack came, itself among them */
    public void onAck(int inFlight) {
        if (ramp > 0) {
            ramp = ramp + 1 >= limit ? 0 : ramp + 1;
            return;
        }
        if (state != PressureState.P_NORMAL || inFlight * 2 < limit) {
            return;
        }
        if (++acks >= limit) {
            acks = 0;
            limit = Math.min(MAX, limit + 1);
        }
    }

    /** Shrinks, at most once in 100 ms. */
    public void onSignal(Signal signal, long nowMs) {
        if (hasShrunk && nowMs - lastShrinkMs < COOLDOWN_MS) {
            return;
        }
        int keep = signal == Signal.ELEVATED ? KEEP_ON_ELEVATED : KEEP_ON_OVERLOAD;
        limit = Math.max(MIN, limit * keep / DENOMINATOR);
        acks = 0;
        hasShrunk = true;
        lastShrinkMs = nowMs;
    }
}
