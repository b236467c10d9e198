package io.spillway.examples;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.spillway.client.Durability;
import io.spillway.client.OutgoingRecord;
import io.spillway.client.Producer;
import io.spillway.client.PublishAck;
import io.spillway.client.SpillwayClient;
import io.spillway.client.SpillwayException;
import java.time.Duration;

/** Publishes: many records without waiting for each, then one that is waited for. */
public final class PublishExample {
    private PublishExample() {}

    public static void main(String[] endpoints) {
        System.out.println(run("orders", 1_000, endpoints));
    }

    /** Returns the ack of the last record. */
    public static PublishAck run(String topic, int records, String... endpoints) {
        try (SpillwayClient client =
                        SpillwayClient.builder().endpoints(endpoints).connect();
                Producer producer =
                        client.producer(topic).durability(Durability.SYNCED).open()) {
            for (int i = 0; i < records; i++) {
                byte[] key = ("customer-" + i % 100).getBytes(UTF_8);
                byte[] value = ("order " + i).getBytes(UTF_8);
                producer.publish(OutgoingRecord.of(key, value)).whenComplete((ack, error) -> {
                    if (error instanceof SpillwayException failure && failure.outcomeUnknown()) {
                        System.err.println("may or may not be stored: " + failure);
                    } else if (error != null) {
                        System.err.println("not stored: " + error);
                    }
                });
            }
            producer.flush(Duration.ofSeconds(30)); // all of them have their outcome now

            return producer.publishAndWait(OutgoingRecord.of("the last one".getBytes(UTF_8)), Duration.ofSeconds(5));
        }
    }
}
