package io.spillway.client;

import io.spillway.client.core.LeasedBatch;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicIntegerArray;
import java.util.concurrent.atomic.LongAdder;

/** Counts what handlers do. Thread-safe. */
final class Workload {
    /** Four for each doubling of microseconds, from 1 us to more than an hour. */
    private static final int BUCKETS = 128;

    private final AtomicInteger busy = new AtomicInteger();
    private final AtomicInteger handlers = new AtomicInteger();
    private final LongAdder settled = new LongAdder();
    private final LongAdder failed = new LongAdder();
    private final AtomicIntegerArray latency = new AtomicIntegerArray(BUCKETS);

    /** What was done since the last time. */
    record Done(long settled, long failed, int p50Us, int p99Us) {}

    /** So many handlers more, or fewer. */
    void handlers(int more) {
        handlers.addAndGet(more);
    }

    void begin() {
        busy.incrementAndGet();
    }

    void end(long tookNs) {
        busy.decrementAndGet();
        latency.incrementAndGet(bucket(tookNs / 1_000));
    }

    void onSettled(int outcome) {
        if (outcome != LeasedBatch.RELEASE) {
            settled.increment();
        }
        if (outcome == LeasedBatch.NACK || outcome == LeasedBatch.TERM) {
            failed.increment();
        }
    }

    int inflight() {
        return busy.get();
    }

    int maxInflight() {
        return handlers.get();
    }

    Done take() {
        long[] counts = new long[BUCKETS];
        long total = 0;
        for (int i = 0; i < BUCKETS; i++) {
            counts[i] = latency.getAndSet(i, 0);
            total += counts[i];
        }
        return new Done(
                settled.sumThenReset(),
                failed.sumThenReset(),
                percentileUs(counts, total, 500),
                percentileUs(counts, total, 990));
    }

    private static int percentileUs(long[] counts, long total, int pm) {
        long left = (total * pm + 999) / 1_000;
        for (int i = 0; i < BUCKETS && total > 0; i++) {
            left -= counts[i];
            if (left <= 0) {
                return (int) Math.min(Integer.MAX_VALUE, endUs(i));
            }
        }
        return 0;
    }

    static int bucket(long us) {
        if (us < 4) {
            return (int) Math.max(0, us);
        }
        int exponent = 63 - Long.numberOfLeadingZeros(us);
        return Math.min(BUCKETS - 1, exponent * 4 + (int) (us >> (exponent - 2) & 3) - 4);
    }

    /** The largest latency in a bucket. */
    static long endUs(int bucket) {
        if (bucket < 4) {
            return bucket;
        }
        int exponent = (bucket + 4) / 4;
        return (4L + (bucket + 4) % 4 + 1 << exponent - 2) - 1;
    }
}
