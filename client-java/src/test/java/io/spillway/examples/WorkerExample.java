package io.spillway.examples;

import io.spillway.client.Message;
import io.spillway.client.SpillwayClient;
import io.spillway.client.Subscription;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/**
 * A worker in a group: the records are shared among all workers, each is leased while it is handled, and one that fails
 * comes again until it is dead-lettered.
 */
public final class WorkerExample {
    private WorkerExample() {}

    public static void main(String[] endpoints) throws InterruptedException {
        run("orders", "billing", Integer.MAX_VALUE, Duration.ofDays(1), endpoints);
    }

    /** Handles that many records; false when they did not come in time. */
    public static boolean run(String topic, String group, int records, Duration patience, String... endpoints)
            throws InterruptedException {
        CountDownLatch open = new CountDownLatch(records);
        try (SpillwayClient client =
                        SpillwayClient.builder().endpoints(endpoints).connect();
                Subscription worker = client.subscribe(topic)
                        .group(group)
                        .leaseTime(Duration.ofSeconds(30))
                        .maxDeliveries(5)
                        .onLostLeases(lost -> System.err.println("will be handled again: " + lost))
                        .start(
                                message -> {
                                    handle(message);
                                    open.countDown();
                                },
                                4)) {
            boolean done = open.await(patience.toMillis(), TimeUnit.MILLISECONDS);
            worker.flushAcks(Duration.ofSeconds(5)); // the group's place is safe now
            return done;
        }
    }

    /** Returns to ack, throws to have the message come again later. */
    private static void handle(Message message) {
        String order = new String(message.value(), StandardCharsets.UTF_8);
        if (order.isBlank()) {
            message.terminate("an order without content"); // nobody can handle it: to the dead-letter topic
        } else if (order.startsWith("bulk")) {
            message.extend(Duration.ofMinutes(5)); // takes longer than the lease
        }
    }
}
