package io.spillway.client;

import io.netty.buffer.ByteBufAllocator;
import io.spillway.client.net.Clock;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * Records of one partition on their way from publishing threads to the network thread: encoded straight into the open
 * batch, which is sealed when it is full. Thread-safe; one short lock per record, uncontended but for batches taken.
 */
final class PartitionQueue {
    /** Records whose deadlines are further apart than this do not share a batch, since a batch has one deadline. */
    private static final long MAX_DEADLINE_SPREAD_MS = 1_000;

    static final long NOTHING_OPEN = Long.MIN_VALUE;

    /** What became of a record offered. */
    enum Offer {
        /** The network thread knows, or need not know yet. */
        TAKEN,
        /** The network thread must look. */
        TAKEN_WAKE,
        CLOSED
    }

    private final ByteBufAllocator allocator;
    private final int maxBatchBytes;
    private final Clock clock;
    private final Runnable onSealed;
    private final ReentrantLock lock = new ReentrantLock();
    private final ArrayDeque<PendingBatch> sealed = new ArrayDeque<>();
    private @Nullable PendingBatch open;
    private boolean woken;
    private @Nullable SpillwayException closed;

    /** @param onSealed called with the lock held each time a batch is full */
    PartitionQueue(ByteBufAllocator allocator, int maxBatchBytes, Clock clock, Runnable onSealed) {
        this.allocator = allocator;
        this.maxBatchBytes = maxBatchBytes;
        this.clock = clock;
        this.onSealed = onSealed;
    }

    Offer offer(OutgoingRecord record, int keyHash, int recordBytes, long timeoutMs, PublishCallback callback) {
        long nowMs = clock.nowMs();
        lock.lock();
        try {
            if (closed != null) {
                return Offer.CLOSED;
            }
            PendingBatch batch = open;
            boolean wake = false;
            if (batch != null && (!batch.fits(recordBytes) || !sharesDeadline(batch, nowMs, timeoutMs))) {
                seal();
                batch = null;
                wake = true;
            }
            if (batch == null) {
                batch = new PendingBatch(allocator, maxBatchBytes, nowMs, clock.nanoTime(), timeoutMs);
                open = batch;
                wake = true;
            }
            batch.add(record, keyHash, nowMs, recordBytes, callback);
            if (wake && !woken) {
                woken = true;
                return Offer.TAKEN_WAKE;
            }
            return Offer.TAKEN;
        } finally {
            lock.unlock();
        }
    }

    private static boolean sharesDeadline(PendingBatch batch, long nowMs, long timeoutMs) {
        long apart = Math.abs(nowMs + timeoutMs - batch.createdMs - batch.timeoutMs);
        return apart <= Math.min(MAX_DEADLINE_SPREAD_MS, timeoutMs >> 3);
    }

    private void seal() {
        if (open != null) {
            sealed.add(open);
            open = null;
            onSealed.run();
        }
    }

    /** From now on a record that needs the network thread says so again. */
    void onLooked() {
        lock.lock();
        woken = false;
        lock.unlock();
    }

    /** The next batch to send, or null; the open one only when {@code openToo}. */
    @Nullable
    PendingBatch take(boolean openToo) {
        lock.lock();
        try {
            PendingBatch next = sealed.poll();
            if (next == null && openToo && open != null) {
                seal();
                next = sealed.poll();
            }
            return next;
        } finally {
            lock.unlock();
        }
    }

    /** When the first record of the open batch came, by the monotonic clock, or NOTHING_OPEN. */
    long openSinceNs() {
        lock.lock();
        try {
            return open == null ? NOTHING_OPEN : open.createdNs;
        } finally {
            lock.unlock();
        }
    }

    /** Seals the open batch and shows all that waits, in order; it stays here. */
    List<PendingBatch> sealAll() {
        lock.lock();
        try {
            seal();
            return new ArrayList<>(sealed);
        } finally {
            lock.unlock();
        }
    }

    /** Takes the batches whose deadline is before that time. */
    List<PendingBatch> takeExpired(long deadlineNs) {
        lock.lock();
        try {
            List<PendingBatch> expired = new ArrayList<>(0);
            for (PendingBatch batch : sealed) {
                if (batch.deadlineNs() - deadlineNs < 0) {
                    expired.add(batch);
                }
            }
            sealed.removeAll(expired);
            if (open != null && open.deadlineNs() - deadlineNs < 0) {
                expired.add(open);
                open = null;
            }
            return expired;
        } finally {
            lock.unlock();
        }
    }

    boolean isEmpty() {
        lock.lock();
        try {
            return open == null && sealed.isEmpty();
        } finally {
            lock.unlock();
        }
    }

    /** Takes everything that waits. */
    List<PendingBatch> takeAll() {
        lock.lock();
        try {
            List<PendingBatch> all = sealAll();
            sealed.clear();
            return all;
        } finally {
            lock.unlock();
        }
    }

    /** Takes no more records; what waits stays. */
    void close(SpillwayException why) {
        lock.lock();
        try {
            closed = why;
        } finally {
            lock.unlock();
        }
    }

    /** Why it takes no more records, or null. */
    @Nullable
    SpillwayException closedBy() {
        lock.lock();
        try {
            return closed;
        } finally {
            lock.unlock();
        }
    }
}
