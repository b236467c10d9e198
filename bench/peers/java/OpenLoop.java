package io.spillway.bench.peers;

import java.nio.ByteBuffer;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import org.HdrHistogram.ConcurrentHistogram;
import org.HdrHistogram.Histogram;

/**
 * Records fall due at fixed times, and latency counts from then, also for those that had to wait. The time they were due is in their
 * first eight bytes.
 */
final class OpenLoop {
    private static final long PATIENCE_NS = 60_000_000_000L;
    private static final long MAX_NS = 600_000_000_000L;
    /** A parked thread wakes about this late; the rest is spun. */
    private static final long WAKE_UP_NS = 60_000;
    /** A rate is not sustained when sending, or the last ack, takes so many times as long as it should; then sending is given up. */
    private static final double LATE_SHARE = 1.25;

    private final Plan plan;
    private final Peer peer;
    private final List<String> topics;
    private final Histogram acks = new ConcurrentHistogram(MAX_NS, 3);
    private final Histogram consumes = new ConcurrentHistogram(MAX_NS, 3);
    private final Histogram late = new Histogram(MAX_NS, 3);
    private final AtomicLong seen = new AtomicLong();
    /** Records that are due later are no warm-up; written before the first record is sent. */
    private volatile long countsNs = Long.MAX_VALUE;

    private long giveUpNs;

    OpenLoop(Plan plan, Peer peer, List<String> topics) {
        this.plan = plan;
        this.peer = peer;
        this.topics = topics;
    }

    Map<String, Object> run() throws Exception {
        Outcomes outcomes = new Outcomes(dueNs -> add(acks, dueNs));
        long planned = (long) (plan.rate() * (plan.warmUp() + plan.seconds()));
        try (Peer.Consuming consumer = peer.consumer(topics.get(0), "g-" + plan.run(), this::show);
                Peer.Publishing producer = peer.producer(topics, outcomes)) {
            Load.prime(plan, peer, topics, () -> seen.get() > 0);
            seen.set(0);
            long sent = send(producer, planned);
            producer.flush();
            boolean inTime = System.nanoTime() <= giveUpNs;
            outcomes.check();
            Load.await(PATIENCE_NS, () -> seen.get() >= sent, "not all records have arrived");
            Map<String, Object> results = Load.results("ack_us", us(acks), "consume_us", us(consumes), "late_us", us(late));
            results.putAll(Load.results("sent", sent, "sustained", sent >= planned && inTime, "acked", outcomes.acks()));
            return results;
        }
    }

    private void show(ByteBuffer value) {
        add(consumes, value.getLong(value.position()));
        seen.incrementAndGet();
    }

    private void add(Histogram to, long dueNs) {
        if (dueNs >= countsNs) {
            to.recordValue(Math.min(MAX_NS, Math.max(0, System.nanoTime() - dueNs)));
        }
    }

    /** Returns how many were sent: fewer than planned when the client held it up for too long. */
    private long send(Peer.Publishing producer, long planned) throws Exception {
        Source source = new Source(plan, 0);
        byte[] sample = Source.sampleValue(plan.size());
        long firstNs = System.nanoTime() + 10_000_000;
        countsNs = firstNs + (long) (plan.warmUp() * 1e9);
        giveUpNs = firstNs + (long) (LATE_SHARE * (plan.warmUp() + plan.seconds()) * 1e9);
        for (long i = 0; i < planned; i++) {
            long dueNs = firstNs + (long) (i * 1e9 / plan.rate());
            awaitNs(dueNs);
            long nowNs = System.nanoTime();
            if (nowNs > giveUpNs) {
                return i;
            }
            if (dueNs >= countsNs) {
                late.recordValue(Math.min(MAX_NS, Math.max(0, nowNs - dueNs)));
            }
            Peer.Item item = source.next();
            item.value = sample.clone(); // clients keep a value until its ack
            ByteBuffer.wrap(item.value).putLong(dueNs);
            item.dueNs = dueNs;
            producer.publish(item);
        }
        return planned;
    }

    private static void awaitNs(long dueNs) {
        for (long leftNs = dueNs - System.nanoTime(); leftNs > 0; leftNs = dueNs - System.nanoTime()) {
            if (leftNs > WAKE_UP_NS) {
                LockSupport.parkNanos(leftNs - WAKE_UP_NS);
            } else {
                Thread.onSpinWait();
            }
        }
    }

    private static Map<String, Object> us(Histogram ns) {
        Map<String, Object> us = Load.results("p50", ns.getValueAtPercentile(50) / 1e3, "p90", ns.getValueAtPercentile(90) / 1e3);
        us.putAll(Load.results("p99", ns.getValueAtPercentile(99) / 1e3, "p99.9", ns.getValueAtPercentile(99.9) / 1e3));
        us.putAll(Load.results("max", ns.getMaxValue() / 1e3, "count", ns.getTotalCount()));
        return us;
    }
}
