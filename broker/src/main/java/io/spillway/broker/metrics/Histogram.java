package io.spillway.broker.metrics;

import java.util.concurrent.atomic.LongAdder;

/** Counts durations by how long they took. One more costs a few comparisons and two additions. Thread-safe. */
public final class Histogram {
    private static final long US = 1_000;
    private static final long MS = 1_000_000;
    private static final double NS_PER_SECOND = 1e9;

    /** Upper ends of the buckets, in ns; what takes longer than the last is in one more. */
    private static final long[] ENDS_NS = {
        100 * US,
        250 * US,
        500 * US,
        MS,
        2_500 * US,
        5 * MS,
        10 * MS,
        25 * MS,
        50 * MS,
        100 * MS,
        250 * MS,
        500 * MS,
        1_000 * MS,
        2_500 * MS,
        5_000 * MS,
        10_000 * MS
    };

    private final LongAdder[] counts = new LongAdder[ENDS_NS.length + 1];
    private final LongAdder sumNs = new LongAdder();

    public Histogram() {
        for (int i = 0; i < counts.length; i++) {
            counts[i] = new LongAdder();
        }
    }

    public void add(long ns) {
        int bucket = 0;
        while (bucket < ENDS_NS.length && ns > ENDS_NS[bucket]) {
            bucket++;
        }
        counts[bucket].increment();
        sumNs.add(ns);
    }

    /** Upper ends of the buckets in seconds, the last one infinite. */
    static double[] endsSeconds() {
        double[] ends = new double[ENDS_NS.length + 1];
        for (int i = 0; i < ENDS_NS.length; i++) {
            ends[i] = ENDS_NS[i] / NS_PER_SECOND;
        }
        ends[ENDS_NS.length] = Double.POSITIVE_INFINITY;
        return ends;
    }

    /** Adds what is in each bucket to these. */
    void addTo(long[] sums) {
        for (int i = 0; i < counts.length; i++) {
            sums[i] += counts[i].sum();
        }
    }

    double sumSeconds() {
        return sumNs.sum() / NS_PER_SECOND;
    }
}
