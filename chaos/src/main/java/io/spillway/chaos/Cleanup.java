package io.spillway.chaos;

import java.util.ArrayDeque;
import java.util.Deque;

/** What must not outlive a round, whatever ends it. Closed in reverse order, by the round or by the end of this process. */
final class Cleanup implements AutoCloseable {
    private final Deque<AutoCloseable> all = new ArrayDeque<>();
    private final Thread atEnd = new Thread(this::closeAll, "cleanup");

    Cleanup() {
        Runtime.getRuntime().addShutdownHook(atEnd);
    }

    synchronized <T extends AutoCloseable> T add(T resource) {
        all.push(resource);
        return resource;
    }

    private synchronized void closeAll() {
        while (!all.isEmpty()) {
            try {
                all.pop().close();
            } catch (Exception e) {
                System.err.println("cannot clean up: " + e);
            }
        }
    }

    @Override
    public void close() {
        closeAll();
        try {
            Runtime.getRuntime().removeShutdownHook(atEnd);
        } catch (IllegalStateException e) {
            return; // this process is ending, and the hook runs or has run
        }
    }
}
