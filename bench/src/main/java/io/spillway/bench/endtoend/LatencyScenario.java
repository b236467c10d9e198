package io.spillway.bench.endtoend;

import io.spillway.bench.RawChronicle;
import io.spillway.bench.SampleBatch;
import io.spillway.client.Durability;
import io.spillway.client.OutgoingRecord;
import io.spillway.client.Producer;
import io.spillway.client.Subscription;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.Locale;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.HdrHistogram.Histogram;

/** Records fall due at a fixed rate; a latency counts from when its record was due. */
record LatencyScenario(int perSecond, Durability durability, Consumption consumption) implements Scenario {
    private static final String SECTION = "Latency in us, open loop, 256 B";
    private static final int RECORD_BYTES = 256;
    private static final byte[] VALUE = SampleBatch.value(RECORD_BYTES);
    /** One part in so many of a run only warms up. */
    private static final int WARM_UP_PART = 4;

    private static final long DRAIN_SECONDS = 60;
    private static final Duration FLUSH = Duration.ofSeconds(30);

    @Override
    public String name() {
        return String.format(Locale.ROOT, "%,d/s %s, %s", perSecond, durability, consumption.words());
    }

    @Override
    public void run(Round round) throws Exception {
        long records = measure(round, name());
        Latencies raw = new Latencies(records / WARM_UP_PART);
        try (RawChronicle log = new RawChronicle(round.directory().resolve("raw"))) {
            new RawLatency(log, RECORD_BYTES, raw).run(perSecond, records, durability == Durability.SYNCED);
        }
        add(round.report(), name(), "raw Chronicle, append to read", raw.consumed());
        add(round.report(), name(), "raw Chronicle, the driver's own lateness", raw.late());
    }

    /** Measures the broker alone, under this name; returns the number of records. */
    long measure(Round round, String name) throws Exception {
        long records = (long) perSecond * (round.plan().seconds() + 1);
        Latencies spillway = new Latencies(records / WARM_UP_PART);
        spillway(round, records, spillway);
        add(round.report(), name, "publish to consume", spillway.consumed());
        add(round.report(), name, "publish to ack", spillway.acked());
        add(round.report(), name, "the driver's own lateness", spillway.late());
        return records;
    }

    private void spillway(Round round, long records, Latencies latencies) throws Exception {
        ExecutorService thread = Executors.newSingleThreadExecutor();
        try (Topic topic = Topic.create(round.client(), durability);
                Producer producer = topic.producer();
                Subscription subscription = consumption.open(round.client(), topic.name())) {
            Future<?> consumed = thread.submit(() -> {
                consumption.consume(
                        subscription,
                        () -> records,
                        message -> latencies.onConsumed(message.valueBuffer().getLong()));
                return null;
            });
            OpenLoop.run(perSecond, records, dueNs -> publish(producer, dueNs, latencies));
            producer.flush(FLUSH);
            consumed.get(DRAIN_SECONDS, TimeUnit.SECONDS);
        } finally {
            thread.shutdownNow();
        }
    }

    private static void publish(Producer producer, long dueNs, Latencies latencies) {
        latencies.onSend(dueNs);
        byte[] value = VALUE.clone();
        ByteBuffer.wrap(value).putLong(dueNs);
        producer.publish(OutgoingRecord.of(value), (ack, error) -> {
            if (ack != null) {
                latencies.onAcked(dueNs);
            }
        });
    }

    private static void add(Report report, String name, String what, Histogram ns) {
        String row = name + ": " + what;
        report.add(SECTION, row, "p50", ns.getValueAtPercentile(50) / 1e3);
        report.add(SECTION, row, "p99", ns.getValueAtPercentile(99) / 1e3);
        report.add(SECTION, row, "p99.9", ns.getValueAtPercentile(99.9) / 1e3);
    }
}
