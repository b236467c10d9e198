package io.spillway.broker.shard;

import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Consumer;
import org.agrona.concurrent.ManyToOneConcurrentArrayQueue;
import org.jspecify.annotations.Nullable;

/**
 * What others ask of a shard. Three queues, so that a flood of publishes never holds back acks, credit or the end of a
 * connection: publishes and control commands are bounded and refuse when full; endings are one per handle and thereby
 * bounded by the handles that exist. Thread-safe; taking out and {@code park} belong to the shard thread.
 */
public final class Mailbox {
    private static final int PUBLISH_CAPACITY = 8 << 10;
    private static final int CONTROL_CAPACITY = 64 << 10;

    private final ManyToOneConcurrentArrayQueue<ShardCommand.Publish> publishes =
            new ManyToOneConcurrentArrayQueue<>(PUBLISH_CAPACITY);
    private final ManyToOneConcurrentArrayQueue<ShardCommand> controls =
            new ManyToOneConcurrentArrayQueue<>(CONTROL_CAPACITY);
    private final ConcurrentLinkedQueue<ShardCommand> endings = new ConcurrentLinkedQueue<>();
    private volatile @Nullable Thread parked;
    private volatile boolean signalled;

    /** False when the queue is full: the caller answers with backpressure, it never waits. */
    public boolean offer(ShardCommand.Publish command) {
        boolean taken = publishes.offer(command);
        wake();
        return taken;
    }

    /** False when the queue is full. */
    public boolean offer(ShardCommand command) {
        boolean taken = controls.offer(command);
        wake();
        return taken;
    }

    /** For the end of a handle, or what comes from the cluster, which must never be lost. */
    public void end(ShardCommand command) {
        endings.add(command);
        wake();
    }

    /** Publishes waiting, for the metrics. */
    public int depth() {
        return publishes.size();
    }

    /**
     * Ends a park, or keeps the next one from beginning. The signal is set before the sleeper is looked for, and
     * {@link #park} names the sleeper before it looks for the signal, so that one of the two always sees the other.
     */
    public void wake() {
        signalled = true;
        Thread sleeper = parked;
        if (sleeper != null) {
            parked = null;
            LockSupport.unpark(sleeper);
        }
    }

    /** The next publish, or null. */
    ShardCommand.@Nullable Publish pollPublish() {
        return publishes.poll();
    }

    /** Gives the sink all control commands; how many. */
    int drainControls(Consumer<ShardCommand> sink) {
        int work = 0;
        ShardCommand command;
        while ((command = controls.poll()) != null) {
            sink.accept(command);
            work++;
        }
        return work;
    }

    /** Gives the sink all that must not wait: ends of handles and what comes from the cluster; how many. */
    int drainEndings(Consumer<ShardCommand> sink) {
        int work = 0;
        ShardCommand command;
        while ((command = endings.poll()) != null) {
            sink.accept(command);
            work++;
        }
        return work;
    }

    /** Sleeps until the next signal or for this long; what was signalled before is to be looked for afterwards. */
    void park(long ns) {
        parked = Thread.currentThread();
        if (!signalled) {
            LockSupport.parkNanos(this, ns);
        }
        parked = null;
        signalled = false;
    }
}
