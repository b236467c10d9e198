package io.spillway.examples;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.spillway.client.OutgoingRecord;
import io.spillway.client.Producer;
import io.spillway.client.PublishAck;
import io.spillway.client.SpillwayClient;
import io.spillway.client.SpillwayException;
import java.time.Duration;

/**
 * Publishes with an idempotency key, so that doing it again, after a crash or an unknown outcome, stores nothing twice:
 * the second ack is a duplicate with the first one's offset.
 */
public final class IdempotentExample {
    private static final int ATTEMPTS = 3;

    private IdempotentExample() {}

    public static void main(String[] endpoints) {
        System.out.println(run("payments", "payment-4711", "100 EUR", endpoints));
    }

    public static PublishAck run(String topic, String paymentId, String payment, String... endpoints) {
        try (SpillwayClient client =
                        SpillwayClient.builder().endpoints(endpoints).connect();
                Producer producer = client.producer(topic).open()) {
            OutgoingRecord record = OutgoingRecord.builder(payment.getBytes(UTF_8))
                    .idempotencyKey(paymentId)
                    .build();
            for (int attempt = 1; ; attempt++) {
                try {
                    return producer.publishAndWait(record, Duration.ofSeconds(10));
                } catch (SpillwayException e) {
                    if (attempt == ATTEMPTS || !e.outcomeUnknown()) {
                        throw e;
                    }
                }
            }
        }
    }
}
