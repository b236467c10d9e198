package io.spillway.client;

import io.spillway.client.net.Clock;
import java.lang.System.Logger.Level;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** Threads that take messages of one subscription and hand each to its handler. Thread-safe. */
final class HandlerPool {
    private static final System.Logger LOG = System.getLogger("io.spillway.client");
    private static final Duration POLL = Duration.ofSeconds(1);
    private static final long FIRST_NACK_DELAY_MS = 1_000;
    private static final long MAX_NACK_DELAY_MS = 60_000;

    private final ConnectedSubscription subscription;
    private final Clock clock;
    private final Workload work;
    private final MessageHandler handler;
    /** Whether the group was given a backoff of its own. */
    private final boolean groupWaits;

    private final List<Thread> threads = new ArrayList<>();
    private volatile boolean stopped;

    HandlerPool(ConnectedSubscription subscription, Clock clock, MessageHandler handler, int concurrency) {
        this.subscription = subscription;
        this.clock = clock;
        work = subscription.work();
        this.handler = handler;
        groupWaits = subscription.settings().terms().hasBackoff();
        for (int i = 0; i < concurrency; i++) {
            Thread thread = new Thread(this::run, "spillway-client-handler-" + i);
            threads.add(thread);
        }
        threads.forEach(Thread::start);
    }

    private void run() {
        work.handlers(1);
        try {
            takeMessages();
        } finally {
            work.handlers(-1);
        }
    }

    private void takeMessages() {
        while (!stopped) {
            try {
                Message message = subscription.take(POLL);
                if (message != null) {
                    handle(message);
                }
            } catch (SpillwayException e) {
                return; // the subscription is over; ended() says why
            }
        }
    }

    private void handle(Message message) {
        try {
            callHandler(message);
            message.ack();
        } catch (InterruptedException e) {
            message.release();
            Thread.currentThread().interrupt();
        } catch (Exception e) {
            LOG.log(Level.WARNING, "message={0} attempt={1} handler_threw={2}", message, message.attempt(), e);
            LOG.log(Level.DEBUG, "where the handler threw", e);
            message.nack(groupWaits ? Duration.ZERO : delay(message.attempt()), e.toString());
        }
    }

    private void callHandler(Message message) throws Exception {
        long beganNs = clock.nanoTime();
        work.begin();
        try {
            handler.onMessage(message);
        } finally {
            work.end(clock.nanoTime() - beganNs);
        }
    }

    /** 1 s after the first attempt, doubled with each, at most 1 min. */
    static Duration delay(int attempt) {
        int doublings = Math.min(attempt - 1, 6);
        return Duration.ofMillis(Math.min(MAX_NACK_DELAY_MS, FIRST_NACK_DELAY_MS << doublings));
    }

    /** Waits for running handlers; those that take longer are interrupted. */
    void stop(Duration timeout) {
        stopped = true;
        long deadlineNs = clock.nanoTime() + timeout.toNanos();
        try {
            for (Thread thread : threads) {
                if (thread != Thread.currentThread()) {
                    TimeUnit.NANOSECONDS.timedJoin(thread, Math.max(1, deadlineNs - clock.nanoTime()));
                }
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        threads.stream().filter(thread -> thread != Thread.currentThread()).forEach(Thread::interrupt);
    }
}
