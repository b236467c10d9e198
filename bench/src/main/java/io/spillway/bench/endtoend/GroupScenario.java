package io.spillway.bench.endtoend;

import io.spillway.bench.SampleBatch;
import io.spillway.client.Durability;
import io.spillway.client.GroupMode;
import io.spillway.client.Message;
import io.spillway.client.OutgoingRecord;
import io.spillway.client.Producer;
import io.spillway.client.StartPosition;
import io.spillway.client.Subscription;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;

/**
 * A backlog of keyed records is consumed by the members of one group, each on a thread of its own, over one connection;
 * every record is acked by itself. The time is from before the members subscribe until the last ack is confirmed.
 */
record GroupScenario(GroupMode mode, int members) implements Scenario {
    private static final int RECORD_BYTES = 256;
    private static final int KEYS = 10_000;
    private static final int MAX_POLL = 1024;
    private static final Duration POLL = Duration.ofMillis(20);
    private static final Duration FLUSH = Duration.ofSeconds(60);
    private static final long LIMIT_SECONDS = 300;

    @Override
    public String name() {
        return String.format(
                Locale.ROOT,
                "drain %d B, %,d keys, %s, %d member%s",
                RECORD_BYTES,
                KEYS,
                mode,
                members,
                members == 1 ? "" : "s");
    }

    @Override
    public void run(Round round) throws Exception {
        long records = round.plan().drainRecords();
        ExecutorService threads = Executors.newFixedThreadPool(members);
        try (Topic topic = Topic.create(round.client(), Durability.MAPPED)) {
            publish(topic, records);
            ThreadCosts.Costs before = round.costs().now();
            AtomicLong left = new AtomicLong(records);
            long startNs = System.nanoTime();
            List<Future<?>> ends = new ArrayList<>();
            for (int i = 0; i < members; i++) {
                ends.add(threads.submit(() -> consume(round, topic, left)));
            }
            for (Future<?> end : ends) {
                end.get(LIMIT_SECONDS, TimeUnit.SECONDS);
            }
            double seconds = (System.nanoTime() - startNs) / 1e9;
            round.addCosts(name(), round.costs().now().since(before), records);
            round.report().add("Groups, records/s", name(), "Spillway", records / seconds);
        } finally {
            threads.shutdownNow();
        }
    }

    private static void publish(Topic topic, long records) {
        byte[] value = SampleBatch.value(RECORD_BYTES);
        try (Producer producer = topic.producer()) {
            for (long i = 0; i < records; i++) {
                byte[] key = ByteBuffer.allocate(Long.BYTES).putLong(i % KEYS).array();
                producer.publish(OutgoingRecord.of(key, value));
            }
            producer.flush(FLUSH);
        }
    }

    private void consume(Round round, Topic topic, AtomicLong left) {
        try (Subscription subscription = round.client()
                .subscribe(topic.name())
                .group("bench")
                .mode(mode)
                .start(StartPosition.earliest())
                .open()) {
            while (left.get() > 0) {
                List<Message> messages = subscription.poll(MAX_POLL, POLL);
                messages.forEach(Message::ack);
                left.addAndGet(-messages.size());
            }
            subscription.flushAcks(FLUSH);
        }
    }
}
