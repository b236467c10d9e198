package io.spillway.bench.peers;

import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.LongConsumer;

/** Of one producer. Thread-safe. */
final class Outcomes {
    private final LongAdder acks = new LongAdder();
    private final LongAdder failed = new LongAdder();
    private final AtomicReference<Throwable> first = new AtomicReference<>();
    private final LongConsumer onAck;

    /** Given the time when the record was due. */
    Outcomes(LongConsumer onAck) {
        this.onAck = onAck;
    }

    void hear(long dueNs, Throwable error) {
        if (error != null) {
            failed.increment();
            first.compareAndSet(null, error);
        } else {
            acks.increment();
            onAck.accept(dueNs);
        }
    }

    void acked(int records) {
        acks.add(records);
    }

    long acks() {
        return acks.sum();
    }

    boolean hasFailed() {
        return first.get() != null;
    }

    void check() {
        if (first.get() != null) {
            throw new IllegalStateException(failed.sum() + " records failed, the first with: " + first.get(), first.get());
        }
    }
}
