package io.spillway.examples;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.spillway.client.Message;
import io.spillway.client.OutgoingRecord;
import io.spillway.client.Producer;
import io.spillway.client.SpillwayClient;
import io.spillway.client.SpillwayException;
import io.spillway.client.Subscription;
import java.time.Duration;

/**
 * Consumes orders and publishes an invoice for each, until SIGTERM or Ctrl-C: then it takes nothing new, finishes what it has
 * begun, gives back the rest, and leaves. An invoice's idempotency key is the place of its order, so that one that is handled
 * twice is published once.
 */
public final class PipelineExample {
    private static final Duration PATIENCE = Duration.ofSeconds(20);

    private PipelineExample() {}

    public static void main(String[] endpoints) {
        SpillwayClient client = SpillwayClient.builder().endpoints(endpoints).connect();
        Producer invoices = client.producer("invoices").open();
        Subscription orders = client.subscribe("orders")
                .group("billing")
                .start(order -> invoices.publishAndWait(invoice(order), Duration.ofSeconds(10)), 4);
        Runtime.getRuntime().addShutdownHook(new Thread(() -> leave(client, orders, invoices), "shutdown"));
        orders.ended().join();
    }

    /** The consumer first, because its handlers still publish. */
    private static void leave(SpillwayClient client, Subscription orders, Producer invoices) {
        try {
            orders.drain(PATIENCE);
        } catch (SpillwayException e) {
            System.err.println("some orders will be handled again: " + e);
        }
        invoices.close();
        client.close();
        System.out.println("left in order");
    }

    private static OutgoingRecord invoice(Message order) {
        String text = "invoice for " + new String(order.value(), UTF_8);
        return OutgoingRecord.builder(text.getBytes(UTF_8))
                .idempotencyKey(order.partition() + "@" + order.offset())
                .build();
    }
}
