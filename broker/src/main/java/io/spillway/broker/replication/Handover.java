package io.spillway.broker.replication;

import io.spillway.broker.base.Published;
import java.nio.ByteBuffer;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Hands committed entries to the replica: in order, each once, not more at a time than fits, and none while an install
 * replaces what they build on.
 *
 * <p>Thread-safe. The thread that hands over waits here for room; that is what keeps a node that catches up from reading
 * its whole log into the heap.
 */
final class Handover {
    private final Replica replica;
    private final int maxBytes;
    private final Consumer<Throwable> onFailure;
    private final Published<Boolean> closed = new Published<>(false);
    private long lastIndex = -1;
    private long waitingBytes;
    private boolean isHanding;
    private @Nullable CompletableFuture<Void> install;

    Handover(Replica replica, int maxBytes, Consumer<Throwable> onFailure) {
        this.replica = replica;
        this.maxBytes = maxBytes;
        this.onFailure = onFailure;
    }

    /** What is at or below this point is in the replica's files already. */
    synchronized void startAfter(RaftPoint point) {
        lastIndex = Math.max(lastIndex, point.index());
    }

    /** Of the newest entry handed over, or held by the files. */
    synchronized long lastIndex() {
        return lastIndex;
    }

    /** Called by Ratis' updater only, in the order of the log. */
    void hand(long term, long index, ByteBuffer entry) throws InterruptedException {
        int bytes = entry.remaining();
        if (!admit(index, bytes)) {
            return;
        }
        CompletableFuture<?> applied;
        try {
            applied = replica.apply(term, index, entry);
        } catch (RuntimeException e) {
            applied = CompletableFuture.failedFuture(e);
        } finally {
            handed();
        }
        applied.whenComplete((ignored, failure) -> {
            release(bytes);
            if (failure != null) {
                onFailure.accept(failure);
            }
        });
    }

    private synchronized boolean admit(long index, int bytes) throws InterruptedException {
        while (!closed.get() && (install != null || waitingBytes > maxBytes)) {
            wait();
        }
        if (closed.get() || index <= lastIndex) {
            return false;
        }
        lastIndex = index;
        waitingBytes += bytes;
        isHanding = true;
        return true;
    }

    private synchronized void handed() {
        isHanding = false;
        wake();
    }

    private synchronized void release(int bytes) {
        waitingBytes -= bytes;
        wake();
    }

    private void wake() {
        if (install != null && !isHanding && waitingBytes == 0) {
            install.complete(null);
        }
        notifyAll();
    }

    /** Stops handing over. Ends when all that was handed over is applied. */
    synchronized CompletableFuture<Void> pause() {
        if (install == null) {
            install = new CompletableFuture<>();
        }
        CompletableFuture<Void> drained = install;
        wake();
        return drained;
    }

    /** Goes on after the point that an install reached. */
    synchronized void resumeAfter(RaftPoint point) {
        startAfter(point);
        install = null;
        notifyAll();
    }

    /** From now on entries are dropped; after a restart they come again. */
    synchronized void close() {
        closed.set(true);
        notifyAll();
    }
}
