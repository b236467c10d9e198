package io.spillway.broker.cli;

import io.spillway.client.Durability;
import io.spillway.client.OutgoingRecord;
import io.spillway.client.Producer;
import io.spillway.client.PublishAck;
import io.spillway.client.PublishCallback;
import io.spillway.client.SpillwayClient;
import io.spillway.client.SpillwayException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import org.HdrHistogram.Histogram;
import org.HdrHistogram.SingleWriterRecorder;
import org.jspecify.annotations.Nullable;

/** Measures publishing: producers with a connection and a thread each. Confined to one thread, but for its own. */
final class BenchProduce implements AutoCloseable {
    private static final Duration FLUSH_LIMIT = Duration.ofMinutes(1);
    private static final int DIGITS = 3;

    private final BenchOptions options;
    private final Durability durability;
    private final long perSecond;
    private final List<SpillwayClient> clients = new ArrayList<>();
    /** Of each connection, one a topic. */
    private final List<List<Producer>> producers = new ArrayList<>();

    private final ExecutorService threads = Executors.newCachedThreadPool(task -> {
        Thread thread = new Thread(task, "spillway-bench");
        thread.setDaemon(true);
        return thread;
    });

    /** @param perSecond of all producers; 0 = no limit */
    BenchProduce(BenchOptions options, Durability durability, long perSecond) {
        this.options = options;
        this.durability = durability;
        this.perSecond = perSecond;
    }

    /**
     * @param connections each with a thread
     * @param topicCount published to in turn
     */
    void open(CommonOptions common, int connections, int topicCount) {
        List<String> topics = List.of();
        for (int i = 0; i < connections; i++) {
            SpillwayClient client = common.connect();
            clients.add(client);
            if (i == 0) {
                topics = options.topics(client, topicCount, durability);
            }
            producers.add(topics.stream()
                    .map(topic -> client.producer(topic).durability(durability).open())
                    .toList());
        }
    }

    /** Publishes the warm-up and then that many records; throws the first error of any. */
    BenchReport run(long records) {
        publishAll(options.warmup(records));
        long startNs = System.nanoTime();
        Histogram latencyNs = publishAll(records);
        long elapsedNs = System.nanoTime() - startNs;
        return new BenchReport(
                "produce",
                options.topicName(),
                records,
                records * options.size(),
                0,
                elapsedNs,
                latencyNs,
                BenchReport.UNMEASURED);
    }

    private Histogram publishAll(long records) {
        List<CompletableFuture<Histogram>> shares = new ArrayList<>();
        int count = producers.size();
        for (int i = 0; i < count; i++) {
            List<Producer> ofOne = producers.get(i);
            long share = records / count + (i < records % count ? 1 : 0);
            shares.add(CompletableFuture.supplyAsync(() -> publish(ofOne, share), threads));
        }
        Histogram all = new Histogram(DIGITS);
        for (CompletableFuture<Histogram> share : shares) {
            try {
                all.add(share.join());
            } catch (CompletionException e) {
                if (e.getCause() instanceof SpillwayException cause) {
                    throw cause;
                }
                throw e;
            }
        }
        return all;
    }

    private Histogram publish(List<Producer> inTurn, long records) {
        Acks acks = new Acks();
        byte[] value = options.value();
        Pace pace = new Pace(System.nanoTime(), Math.max(perSecond == 0 ? 0 : 1, perSecond / producers.size()));
        for (long i = 0; i < records && acks.error() == null; i++) {
            long dueNs = perSecond == 0 ? System.nanoTime() : pace.dueNs(i);
            Producer producer = inTurn.get((int) (i % inTurn.size()));
            producer.publish(OutgoingRecord.of(value), acks.since(dueNs));
            pace.awaitNext();
        }
        inTurn.forEach(producer -> producer.flush(FLUSH_LIMIT));
        SpillwayException error = acks.error();
        if (error != null) {
            throw error;
        }
        return acks.latencyNs();
    }

    @Override
    public void close() {
        producers.forEach(ofOne -> ofOne.forEach(Producer::close));
        clients.forEach(SpillwayClient::close);
        threads.shutdown();
    }

    /** Hears the acks of one producer on its client's network thread. Thread-safe. */
    private static final class Acks {
        private final SingleWriterRecorder recorder = new SingleWriterRecorder(DIGITS);
        private final CompletableFuture<SpillwayException> error = new CompletableFuture<>();

        PublishCallback since(long dueNs) {
            return (ack, failure) -> onOutcome(dueNs, ack, failure);
        }

        private void onOutcome(long dueNs, @Nullable PublishAck ack, @Nullable SpillwayException failure) {
            if (ack != null) {
                recorder.recordValue(Math.max(0, System.nanoTime() - dueNs));
            } else if (failure != null) {
                error.complete(failure);
            }
        }

        @Nullable
        SpillwayException error() {
            return error.getNow(null);
        }

        Histogram latencyNs() {
            return recorder.getIntervalHistogram();
        }
    }
}
