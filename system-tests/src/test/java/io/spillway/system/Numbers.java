package io.spillway.system;

import io.spillway.client.Message;
import io.spillway.client.OutgoingRecord;
import io.spillway.client.Producer;
import io.spillway.client.SpillwayClient;
import io.spillway.client.StartPosition;
import io.spillway.client.Subscription;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;

/**
 * Publishes 0, 1, 2, ... to a topic of one partition until it is stopped, and remembers which were acked. A value that was
 * stored twice or damaged shows, because each is unique and names itself.
 */
final class Numbers implements AutoCloseable {
    private static final int PAD = 200;

    private final Producer producer;
    private final Thread thread;
    private final AtomicBoolean stopped = new AtomicBoolean();
    private final ConcurrentLinkedQueue<Long> acked = new ConcurrentLinkedQueue<>();
    private final ConcurrentLinkedQueue<String> failures = new ConcurrentLinkedQueue<>();
    private final AtomicLong ackCount = new AtomicLong();

    Numbers(SpillwayClient client, String topic, long first) {
        producer = client.producer(topic)
                .deliveryTimeout(Duration.ofSeconds(90))
                .maxBlock(Duration.ofSeconds(90))
                .maxBatchBytes(16 << 10)
                .open();
        thread = new Thread(() -> run(first), "numbers");
        thread.start();
    }

    private void run(long first) {
        for (long i = first; !stopped.get(); i++) {
            long number = i;
            producer.publish(OutgoingRecord.of(value(number)), (ack, error) -> {
                if (error == null) {
                    acked.add(number);
                    ackCount.incrementAndGet();
                } else {
                    failures.add(number + ": " + error);
                }
            });
            while (i - first - ackCount.get() > 20_000 && !stopped.get()) {
                LockSupport.parkNanos(100_000);
            }
        }
    }

    static byte[] value(long number) {
        return (number + ":" + "x".repeat(PAD)).getBytes(StandardCharsets.US_ASCII);
    }

    static long numberOf(byte[] value) {
        String text = new String(value, StandardCharsets.US_ASCII);
        int colon = text.indexOf(':');
        if (colon < 0 || text.length() != colon + 1 + PAD || !text.endsWith("x".repeat(PAD))) {
            throw new AssertionError("a damaged value was served: " + text);
        }
        return Long.parseLong(text.substring(0, colon));
    }

    long ackCount() {
        return ackCount.get();
    }

    /** What was acked so far. */
    List<Long> acked() {
        return List.copyOf(acked);
    }

    List<String> failures() {
        return List.copyOf(failures);
    }

    /** Ends publishing without waiting for what is open. */
    void stop() throws InterruptedException {
        stopped.set(true);
        thread.join(100_000);
    }

    /** Ends publishing and waits until everything is acked or has failed. */
    void finish() throws InterruptedException {
        stop();
        producer.flush(Duration.ofSeconds(90));
    }

    /** Every record of the partition in offset order. Fails when offsets are not dense. */
    static List<Message> readAll(SpillwayClient client, String topic) {
        long end = client.admin().describeTopic(topic).partitions().get(0).endOffset();
        List<Message> all = new ArrayList<>();
        try (Subscription reader =
                client.subscribe(topic).start(StartPosition.earliest()).open()) {
            while (all.size() < end) {
                List<Message> some = reader.poll(10_000, Duration.ofSeconds(30));
                if (some.isEmpty()) {
                    throw new AssertionError("only " + all.size() + " of " + end + " records come");
                }
                for (Message message : some) {
                    if (message.offset() != all.size()) {
                        throw new AssertionError(
                                "offset " + message.offset() + " came where " + all.size() + " belongs");
                    }
                    all.add(message);
                }
            }
        }
        return all;
    }

    @Override
    public void close() {
        stopped.set(true);
        producer.close(Duration.ofSeconds(1));
    }
}
