package io.spillway.client;

import io.spillway.client.net.Clock;
import io.spillway.protocol.ProtocolException;
import io.spillway.protocol.RecordView;
import java.lang.System.Logger.Level;
import java.util.ArrayDeque;
import java.util.List;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * Batches on their way from the network thread to the consuming threads, which take records. Records whose lease is
 * about to end are released rather than handed out. Thread-safe.
 */
final class DeliveryQueue {
    private static final System.Logger LOG = System.getLogger("io.spillway.client");

    /** Hears, on a consuming thread and without a lock held, what the consuming threads did. */
    interface Listener {
        /** A good part of what was queued, or all of it, has been handed out since the last call. */
        void onConsumed();

        /** A consumer waits: whatever is worth sending is worth sending now. */
        void onIdle();
    }

    private final String topic;
    private final Clock clock;
    private final Listener listener;
    private final long reportEveryBytes;
    private final int reportEveryBatches;
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition changed = lock.newCondition();
    private final ArrayDeque<DeliveredBatch> waiting = new ArrayDeque<>();
    private final RecordView view = new RecordView();
    private @Nullable DeliveredBatch current;
    private int queuedBatches;
    private long queuedBytes;
    private long unreportedBytes;
    private int unreportedBatches;
    private @Nullable SpillwayException ended;

    DeliveryQueue(String topic, Clock clock, long reportEveryBytes, int reportEveryBatches, Listener listener) {
        this.topic = topic;
        this.clock = clock;
        this.reportEveryBytes = reportEveryBytes;
        this.reportEveryBatches = reportEveryBatches;
        this.listener = listener;
    }

    void add(DeliveredBatch batch) {
        lock.lock();
        try {
            waiting.add(batch);
            queuedBatches++;
            queuedBytes += batch.sizeBytes();
            changed.signal();
        } finally {
            lock.unlock();
        }
    }

    /** Takes up to {@code max} records into {@code into}; waits for the first until the time is over. */
    void take(List<? super DeliveredMessage> into, int max, long timeoutNs) throws InterruptedException {
        if (!tryTake(into, max)) {
            report(1, 1); // little may be missing for the next batch to be sent
            listener.onIdle();
            await(into, max, timeoutNs);
        }
        report(reportEveryBytes, reportEveryBatches);
    }

    private boolean tryTake(List<? super DeliveredMessage> into, int max) {
        lock.lock();
        try {
            return fill(into, max);
        } finally {
            lock.unlock();
        }
    }

    private void await(List<? super DeliveredMessage> into, int max, long timeoutNs) throws InterruptedException {
        long left = timeoutNs;
        lock.lockInterruptibly();
        try {
            while (!fill(into, max) && left > 0) {
                left = changed.awaitNanos(left);
            }
        } finally {
            lock.unlock();
        }
    }

    private void report(long fromBytes, int fromBatches) {
        lock.lock();
        try {
            if (unreportedBytes < fromBytes && unreportedBatches < fromBatches) {
                return;
            }
            unreportedBytes = 0;
            unreportedBatches = 0;
        } finally {
            lock.unlock();
        }
        listener.onConsumed();
    }

    /** Whether there is a record to take now. */
    private boolean fill(List<? super DeliveredMessage> into, int max) {
        if (ended != null) {
            throw ended;
        }
        while (into.size() < max) {
            DeliveredBatch batch = current == null ? nextBatch() : current;
            if (batch == null) {
                break;
            }
            if (!takeFrom(batch, into, max)) {
                onConsumed(batch);
            }
        }
        if (current != null || !waiting.isEmpty()) {
            changed.signal(); // there is more, perhaps for another thread that waits
        }
        return !into.isEmpty();
    }

    private @Nullable DeliveredBatch nextBatch() {
        current = waiting.poll();
        if (current != null) {
            view.wrap(current.bytes, 0);
        }
        return current;
    }

    /** False when the batch has no more to give. */
    private boolean takeFrom(DeliveredBatch batch, List<? super DeliveredMessage> into, int max) {
        boolean leased = batch.isLeased();
        long latestNs = leased ? batch.handOutUntilNs() : 0;
        while (into.size() < max) {
            boolean readable = true;
            try {
                if (!view.next()) {
                    return false;
                }
            } catch (ProtocolException e) {
                readable = false;
                onUnreadable(batch, String.valueOf(e.getMessage()));
            }
            if (readable && batch.isSelected(view.index())) {
                if (leased && clock.nanoTime() - latestNs > 0) {
                    batch.release(view.index());
                    return false;
                }
                into.add(new DeliveredMessage(topic, clock, batch, view));
            }
        }
        return true;
    }

    /** The record at which the view is; the next one can be read all the same. */
    private void onUnreadable(DeliveredBatch batch, String why) {
        if (batch.isSelected(view.index())) {
            LOG.log(
                    Level.WARNING,
                    "topic={0} partition={1} offset={2} skipped=unreadable cause={3}",
                    topic,
                    batch.partition,
                    batch.baseOffset + view.index(),
                    why);
            batch.poison(view.index(), why);
        }
    }

    private void onConsumed(DeliveredBatch batch) {
        current = null;
        queuedBatches--;
        queuedBytes -= batch.sizeBytes();
        unreportedBytes += batch.sizeBytes();
        unreportedBatches++;
    }

    /** Gives back what was not handed out: its leases are of no more use here. */
    void discard() {
        lock.lock();
        try {
            DeliveredBatch begun = current;
            if (begun != null) {
                begun.release(view.index() + 1);
                onConsumed(begun);
            }
            for (DeliveredBatch batch = waiting.poll(); batch != null; batch = waiting.poll()) {
                batch.release(0);
                onConsumed(batch);
            }
        } finally {
            lock.unlock();
        }
    }

    int queuedBatches() {
        lock.lock();
        try {
            return queuedBatches;
        } finally {
            lock.unlock();
        }
    }

    long queuedBytes() {
        lock.lock();
        try {
            return queuedBytes;
        } finally {
            lock.unlock();
        }
    }

    /** Whoever waits or comes gets this error. What is queued is dropped. */
    void end(SpillwayException why) {
        lock.lock();
        try {
            if (ended == null) {
                ended = why;
            }
            waiting.clear();
            current = null;
            changed.signalAll();
        } finally {
            lock.unlock();
        }
    }
}
