package io.spillway.client;

import java.lang.System.Logger.Level;

/** Says so when a user's callback throws; the client goes on. */
final class Callbacks {
    private static final System.Logger LOG = System.getLogger("io.spillway.client");

    private Callbacks() {}

    static void threw(Object callback, Throwable thrown) {
        LOG.log(Level.WARNING, "callback=" + callback.getClass().getName() + " threw=" + thrown, thrown);
    }
}
