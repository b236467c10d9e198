package io.spillway.broker.base;

import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;

/**
 * What others want done on the thread that owns this. Requests are bounded and refused beyond; answers are not refused, since each
 * was asked for and what is asked for is bounded. Thread-safe.
 */
public final class Inbox {
    private static final int MOST_WAITING = 1_024;

    private final LinkedBlockingQueue<Runnable> tasks = new LinkedBlockingQueue<>();

    /** False when too much waits already. */
    public boolean offer(Runnable request) {
        return tasks.size() < MOST_WAITING && tasks.offer(request);
    }

    public void put(Runnable answer) {
        tasks.add(answer);
    }

    /** Runs what is there, waiting for the first at most so long; how many were run. */
    public int run(long waitMs) throws InterruptedException {
        int done = 0;
        Runnable task = tasks.poll(waitMs, TimeUnit.MILLISECONDS);
        while (task != null) {
            task.run();
            task = ++done < MOST_WAITING ? tasks.poll() : null;
        }
        return done;
    }
}
