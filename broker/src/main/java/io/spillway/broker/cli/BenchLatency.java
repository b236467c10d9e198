package io.spillway.broker.cli;

import io.spillway.client.Durability;
import io.spillway.client.Message;
import io.spillway.client.OutgoingRecord;
import io.spillway.client.Producer;
import io.spillway.client.SpillwayClient;
import io.spillway.client.SpillwayException;
import io.spillway.client.StartPosition;
import io.spillway.client.Subscription;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import org.HdrHistogram.Histogram;

/**
 * Measures the way of a record from when it was due to be published until it is consumed. The rate does not wait for the
 * broker (open loop), so no record is left out because an earlier one was slow.
 *
 * <pre>
 * the value of a record:  0 u64 run | 8 u64 number | 16 u64 due (nanoTime) | padding
 * </pre>
 */
final class BenchLatency {
    /** The least size of a value. */
    static final int MIN_SIZE = 24;

    private static final Duration POLL_STEP = Duration.ofMillis(100);
    private static final int MAX_POLL = 1000;

    private final CommonOptions common;
    private final BenchOptions options;
    private final Durability durability;
    private final long run = System.nanoTime();

    BenchLatency(CommonOptions common, BenchOptions options, Durability durability) {
        this.common = common;
        this.options = options;
        this.durability = durability;
    }

    BenchReport run(long records, long perSecond) {
        long warmup = options.warmup(records);
        try (SpillwayClient publishing = common.connect();
                SpillwayClient consuming = common.connect()) {
            options.topic(consuming, durability);
            try (Subscription subscription = consuming
                            .subscribe(options.topicName())
                            .start(StartPosition.latest())
                            .open();
                    Producer producer = publishing
                            .producer(options.topicName())
                            .durability(durability)
                            .open()) {
                CompletableFuture<SpillwayException> failure = new CompletableFuture<>();
                Histogram ackNs = new Histogram(3);
                Thread publisher = new Thread(
                        () -> publish(producer, warmup, warmup + records, perSecond, failure, ackNs),
                        "spillway-bench-publisher");
                publisher.setDaemon(true);
                publisher.start();
                BenchReport report = consume(subscription, warmup, records, failure, ackNs);
                producer.flush(common.timeout()); // the callbacks write the histogram
                return report;
            }
        }
    }

    private void publish(
            Producer producer,
            long warmup,
            long records,
            long perSecond,
            CompletableFuture<SpillwayException> failure,
            Histogram ackNs) {
        Pace pace = new Pace(System.nanoTime(), perSecond);
        for (long i = 0; i < records && !failure.isDone(); i++) {
            byte[] value = new byte[options.size()];
            ByteBuffer.wrap(value).putLong(run).putLong(i).putLong(pace.dueNs(i));
            long dueNs = pace.dueNs(i);
            boolean counts = i >= warmup;
            try {
                producer.publish(OutgoingRecord.of(value), (ack, error) -> {
                    if (error != null) {
                        failure.complete(error);
                    } else if (counts) {
                        ackNs.recordValue(Math.max(0, System.nanoTime() - dueNs));
                    }
                });
            } catch (SpillwayException e) {
                failure.complete(e);
            }
            pace.awaitNext();
        }
    }

    private BenchReport consume(
            Subscription subscription,
            long warmup,
            long records,
            CompletableFuture<SpillwayException> failure,
            Histogram ackNs) {
        Histogram latencyNs = new Histogram(3);
        long received = 0;
        long firstDueNs = 0;
        long lastNs = System.nanoTime();
        while (received < warmup + records
                && System.nanoTime() - lastNs < common.timeout().toNanos()) {
            if (failure.isDone()) {
                throw failure.join();
            }
            for (Message message : subscription.poll(MAX_POLL, POLL_STEP)) {
                ByteBuffer value = message.valueBuffer();
                if (value.remaining() >= MIN_SIZE && value.getLong() == run) {
                    received++;
                    lastNs = System.nanoTime();
                    long number = value.getLong();
                    long dueNs = value.getLong();
                    if (number >= warmup) {
                        latencyNs.recordValue(Math.max(0, lastNs - dueNs));
                        firstDueNs = number == warmup ? dueNs : firstDueNs;
                    }
                }
            }
        }
        long measured = latencyNs.getTotalCount();
        long elapsedNs = measured == 0 ? 0 : lastNs - firstDueNs;
        return new BenchReport(
                "latency",
                options.topicName(),
                measured,
                measured * options.size(),
                records - measured,
                elapsedNs,
                latencyNs,
                ackNs);
    }
}
