package io.spillway.broker.transport;

import io.netty.util.concurrent.FastThreadLocalThread;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.atomic.AtomicInteger;

/** Names the event loops spillway-io-0 and up; the names are part of what operators see. Thread-safe. */
final class IoThreads implements ThreadFactory {
    private final AtomicInteger next = new AtomicInteger();

    @Override
    public Thread newThread(Runnable loop) {
        Thread thread = new FastThreadLocalThread(loop, "spillway-io-" + next.getAndIncrement());
        thread.setDaemon(true);
        return thread;
    }
}
