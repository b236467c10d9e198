package io.spillway.client.net;

import io.spillway.protocol.Frame;
import io.spillway.protocol.v1.Backpressure;
import io.spillway.protocol.v1.Error;
import io.spillway.protocol.v1.Handoff;

/** Hears what the broker sends on one publisher or subscription handle. Called on the network thread. */
public interface HandleListener {
    /** A delivery; released after the call. */
    void onDeliver(Frame frame);

    void onBackpressure(Backpressure signal);

    /** What this member of a group is responsible for has changed. */
    default void onHandoff(Handoff change) {}

    /** The broker ended the handle. */
    void onEnded(Error why);
}
