package io.spillway.broker.cli;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.spillway.broker.base.SpillwayException;
import io.spillway.broker.catalog.TopicNames;
import io.spillway.client.Message;
import io.spillway.client.OutgoingRecord;
import io.spillway.client.Producer;
import io.spillway.client.SpillwayClient;
import io.spillway.client.StartPosition;
import io.spillway.client.Subscription;
import io.spillway.protocol.Code;
import java.time.Duration;
import java.util.Locale;
import java.util.Map;
import java.util.UUID;

/** Publishes, consumes and acks one record at a time with the Java client, as the only member of a group of its own. */
final class CanaryFlight implements CanaryCommand.Probe {
    private static final String TOPIC = TopicNames.CANARY + "java";
    private static final Map<String, String> SETTINGS = Map.of("retention.ms", "600000");

    private final SpillwayClient client;
    private final Duration patience;
    private final String run = UUID.randomUUID().toString().substring(0, 8);
    private final String group = "canary-" + run;
    private final Subscription subscription;
    private final Producer producer;
    private long number;
    private double lastMs;

    CanaryFlight(SpillwayClient client, Duration patience) {
        this.client = client;
        this.patience = patience;
        try {
            client.admin().createTopic(TOPIC, 1, SETTINGS);
        } catch (io.spillway.client.SpillwayException e) {
            if (!e.is(Code.ALREADY_EXISTS)) {
                throw e;
            }
        }
        subscription = client.subscribe(TOPIC)
                .group(group)
                .start(StartPosition.latest())
                .open();
        producer = client.producer(TOPIC)
                .deliveryTimeout(patience)
                .maxBlock(patience)
                .open();
    }

    /** What all canaries write: whose it is, and how the round trip before went. */
    static byte[] value(String run, long number, double lastMs) {
        return String.format(
                        Locale.ROOT,
                        "{\"language\":\"java\",\"run\":\"%s\",\"number\":%d,\"last_ms\":%.3f}",
                        run,
                        number,
                        lastMs)
                .getBytes(UTF_8);
    }

    @Override
    public double roundTripMs() {
        byte[] value = value(run, ++number, lastMs);
        long startNs = System.nanoTime();
        long offset =
                producer.publishAndWait(OutgoingRecord.of(value), patience).offset();
        take(offset, startNs + patience.toNanos());
        subscription.flushAcks(patience);
        lastMs = CanaryCommand.ms(System.nanoTime() - startNs);
        return lastMs;
    }

    /** Others may publish there too, and what an earlier round trip gave up may still come. */
    private void take(long offset, long untilNs) {
        long leftNs = patience.toNanos();
        while (leftNs > 0) {
            Message message = subscription.poll(Duration.ofNanos(leftNs));
            if (message != null) {
                message.ack();
                if (message.offset() == offset) {
                    return;
                }
            }
            leftNs = untilNs - System.nanoTime();
        }
        throw new SpillwayException(
                Code.DEADLINE_EXCEEDED,
                "record " + offset + " of " + TOPIC + " did not come back",
                "it was acked, and not delivered within " + patience.toMillis() + " ms",
                "spillway diagnose group " + TOPIC + " " + group);
    }

    @Override
    public void close() {
        producer.close();
        subscription.close();
        try {
            client.admin().deleteGroup(TOPIC, group);
        } catch (io.spillway.client.SpillwayException e) {
            // What is left is a name; the records it has not settled go with the topic's retention.
            return;
        }
    }
}
