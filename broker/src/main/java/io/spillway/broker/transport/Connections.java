package io.spillway.broker.transport;

import io.spillway.broker.base.SpillwayException;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/** The open connections of a server. Thread-safe. */
final class Connections {
    private final Set<ConnectionHandler> open = ConcurrentHashMap.newKeySet();

    void add(ConnectionHandler connection) {
        open.add(connection);
    }

    void remove(ConnectionHandler connection) {
        open.remove(connection);
    }

    int count() {
        return open.size();
    }

    void goAway(SpillwayException why, int graceMs) {
        open.forEach(connection -> connection.session().goAway(why, graceMs));
    }

    void closeAll() {
        open.forEach(ConnectionHandler::closeAfterFlush);
    }
}
