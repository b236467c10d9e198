package io.spillway.broker.tracing;

import io.opentelemetry.sdk.trace.data.SpanData;
import io.spillway.broker.base.Clock;
import io.spillway.broker.base.Published;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.LongAdder;
import java.util.concurrent.locks.LockSupport;
import org.agrona.concurrent.ManyToOneConcurrentArrayQueue;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Takes the steps of traced records from the shards, makes spans of them and has them exported, on a thread of its own. Who
 * adds never waits: what does not fit into the queue is counted and dropped. Thread-safe.
 */
public final class Traces implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Traces.class);
    private static final int BATCH = 512;
    /** How long a span waits for others, at most. */
    private static final long GATHER_NS = TimeUnit.MILLISECONDS.toNanos(500);

    private static final long PAUSE_NS = TimeUnit.MILLISECONDS.toNanos(50);
    private static final long AGAIN_NS = TimeUnit.SECONDS.toNanos(1);
    private static final int ATTEMPTS = 3;
    private static final long CLOSE_MS = 2_000;

    private final ManyToOneConcurrentArrayQueue<TracedStep> queue;
    private final Sampling sampling;
    private final Clock clock;
    private final SpanMaker maker;
    private final Collector collector;
    private final LongAdder exported = new LongAdder();
    private final LongAdder dropped = new LongAdder();
    private final LongAdder failed = new LongAdder();
    private final Published<Boolean> closing = new Published<>(false);
    private final CountDownLatch ended = new CountDownLatch(1);
    private final Thread thread;

    private Traces(TracingConfig config, Clock clock, String nodeId, String version) {
        queue = new ManyToOneConcurrentArrayQueue<>(config.queueSpans());
        sampling = new Sampling(config.sampleRatio());
        this.clock = clock;
        maker = new SpanMaker(clock, nodeId, version);
        collector = new Collector(config);
        thread = new Thread(this::run, "spillway-traces");
        thread.setDaemon(true);
    }

    /** Starts the thread. */
    public static Traces start(TracingConfig config, Clock clock, String nodeId, String version) {
        Traces traces = new Traces(config, clock, nodeId, version);
        traces.thread.start();
        return traces;
    }

    /** Whether spans are made for this record. */
    public boolean takes(TracedRecord record) {
        return sampling.takes(record.randomPart());
    }

    public void add(TracedStep step) {
        if (!queue.offer(step)) {
            dropped.increment();
        }
    }

    /** Spans that the collector has. */
    public long exported() {
        return exported.sum();
    }

    /** Spans that were not made because too many waited. */
    public long dropped() {
        return dropped.sum();
    }

    /** Spans that the collector did not take. */
    public long failed() {
        return failed.sum();
    }

    private void run() {
        try {
            while (!closing.get() || !queue.isEmpty()) {
                gather();
                export(maker.take());
                maker.follow();
            }
        } catch (RuntimeException | Error e) {
            LOG.error("event=tracing_failed why=\"{}\" next=\"restart the broker; records are not concerned\"", e, e);
        } finally {
            maker.close();
            collector.close();
            ended.countDown();
        }
    }

    /** Makes spans until there are enough for an export, or the first has waited long enough. */
    private void gather() {
        long firstNs = clock.nanoTime();
        while (maker.count() < BATCH && (maker.count() == 0 || clock.nanoTime() - firstNs < GATHER_NS)) {
            if (queue.drain(maker::make, BATCH - maker.count()) == 0) {
                if (closing.get()) {
                    return;
                }
                LockSupport.parkNanos(this, PAUSE_NS);
            }
            firstNs = maker.count() == 0 ? clock.nanoTime() : firstNs;
        }
    }

    private void export(List<SpanData> spans) {
        if (spans.isEmpty()) {
            return;
        }
        for (int attempt = 1; attempt <= ATTEMPTS; attempt++) {
            if (collector.send(spans)) {
                exported.add(spans.size());
                return;
            }
            long untilNs = clock.nanoTime() + AGAIN_NS;
            while (attempt < ATTEMPTS && !closing.get() && clock.nanoTime() - untilNs < 0) {
                LockSupport.parkNanos(this, PAUSE_NS);
            }
        }
        failed.add(spans.size());
    }

    /** Exports what waits, within a limit of time. */
    @Override
    public void close() {
        closing.set(true);
        LockSupport.unpark(thread);
        try {
            if (!ended.await(CLOSE_MS, TimeUnit.MILLISECONDS)) {
                LOG.warn(
                        "event=spans_not_exported why=\"the collector did not take them in {} ms\" next=\"none; they are lost\"",
                        CLOSE_MS);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
