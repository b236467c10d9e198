package io.spillway.client;

import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;

/**
 * Bytes of records that may be without outcome. A record over the whole limit is let in alone. Thread-safe; taking
 * without contention is one compare-and-set.
 */
final class BufferSpace {
    private final long limitBytes;
    private final AtomicLong usedBytes = new AtomicLong();
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition freed = lock.newCondition();
    private volatile int waiting;

    BufferSpace(long limitBytes) {
        this.limitBytes = limitBytes;
    }

    long limitBytes() {
        return limitBytes;
    }

    long usedBytes() {
        return usedBytes.get();
    }

    boolean tryTake(long bytes) {
        while (true) {
            long used = usedBytes.get();
            if (used > 0 && used + bytes > limitBytes) {
                return false;
            }
            if (usedBytes.compareAndSet(used, used + bytes)) {
                return true;
            }
        }
    }

    /** Waits for space; false when there was none in time. */
    boolean take(long bytes, long waitNs) throws InterruptedException {
        if (tryTake(bytes)) {
            return true;
        }
        long left = waitNs;
        lock.lock();
        try {
            waiting++; // before the next try: whoever gives after it sees the waiter and signals
            while (!tryTake(bytes)) {
                if (left <= 0) {
                    return false;
                }
                left = freed.awaitNanos(left);
            }
            return true;
        } finally {
            waiting--;
            lock.unlock();
        }
    }

    void give(long bytes) {
        usedBytes.addAndGet(-bytes);
        if (waiting > 0) {
            lock.lock();
            try {
                freed.signalAll();
            } finally {
                lock.unlock();
            }
        }
    }
}
