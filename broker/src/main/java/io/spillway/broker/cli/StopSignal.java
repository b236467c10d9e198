package io.spillway.broker.cli;

import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * Hears Ctrl-C and SIGTERM and holds the end of the process back until the command has put its things in order, at most
 * 10 s. Thread-safe.
 */
final class StopSignal implements AutoCloseable {
    private static final long MAX_WAIT_S = 10;

    private final CountDownLatch requested = new CountDownLatch(1);
    private final CountDownLatch finished = new CountDownLatch(1);
    private @Nullable Thread hook;

    /** Begins to listen. */
    static StopSignal listen() {
        StopSignal signal = new StopSignal();
        signal.hook = new Thread(signal::onShutdown, "spillway-stop");
        Runtime.getRuntime().addShutdownHook(signal.hook);
        return signal;
    }

    boolean requested() {
        return requested.getCount() == 0;
    }

    /** Waits so long, or until it is requested. */
    void await(long ns) throws InterruptedException {
        var unused = requested.await(ns, TimeUnit.NANOSECONDS);
    }

    /** Lets the process end. */
    @Override
    public void close() {
        finished.countDown();
        if (hook != null && !requested()) {
            removeHook(hook);
        }
        hook = null;
    }

    private void onShutdown() {
        requested.countDown();
        try {
            // The process ends after this in any case: whether the command made it in time changes nothing here.
            var unused = finished.await(MAX_WAIT_S, TimeUnit.SECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private static void removeHook(Thread hook) {
        try {
            Runtime.getRuntime().removeShutdownHook(hook);
        } catch (IllegalStateException e) {
            // The signal came between the check and here; the hook sees that the command has finished.
            return;
        }
    }
}
