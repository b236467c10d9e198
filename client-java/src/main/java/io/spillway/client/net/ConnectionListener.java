package io.spillway.client.net;

import io.spillway.protocol.v1.Backpressure;
import io.spillway.protocol.v1.Error;
import io.spillway.protocol.v1.GoAway;
import io.spillway.protocol.v1.ToggleUpdate;

/** Hears of one connection. Called on the network thread. */
interface ConnectionListener {
    /** Bytes that had arrived have been handled, or there is room to write again. */
    void onTurn();

    void onBackpressure(Backpressure signal);

    void onToggles(ToggleUpdate update);

    void onGoAway(GoAway notice);

    /** The broker refuses something because it does not lead. */
    void onNotLeader(Error why);

    /** The connection is over; all its requests have failed. Called once. */
    void onClosed(Error why);
}
