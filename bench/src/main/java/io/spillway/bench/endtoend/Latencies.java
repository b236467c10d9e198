package io.spillway.bench.endtoend;

import org.HdrHistogram.Histogram;

/**
 * Latencies of one open-loop run, each counted from when its record was due; the first records only warm up. Each
 * histogram is confined to one thread until the run is over.
 */
final class Latencies {
    private static final long MAX_NS = 60_000_000_000L;
    private static final int DIGITS = 3;

    private final Series late;
    private final Series acked;
    private final Series consumed;

    Latencies(long warmUpRecords) {
        late = new Series(warmUpRecords);
        acked = new Series(warmUpRecords);
        consumed = new Series(warmUpRecords);
    }

    private static final class Series {
        private final Histogram ns = new Histogram(MAX_NS, DIGITS);
        private final long skip;
        private long seen;

        private Series(long skip) {
            this.skip = skip;
        }

        private void add(long dueNs) {
            if (++seen > skip) {
                ns.recordValue(Math.min(MAX_NS, Math.max(0, System.nanoTime() - dueNs)));
            }
        }
    }

    /** The driver is about to send. */
    void onSend(long dueNs) {
        late.add(dueNs);
    }

    void onAcked(long dueNs) {
        acked.add(dueNs);
    }

    void onConsumed(long dueNs) {
        consumed.add(dueNs);
    }

    /** How late the driver was. */
    Histogram late() {
        return late.ns;
    }

    Histogram acked() {
        return acked.ns;
    }

    Histogram consumed() {
        return consumed.ns;
    }
}
