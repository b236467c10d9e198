package io.spillway.bench.endtoend;

import io.spillway.client.Message;
import io.spillway.client.SpillwayClient;
import io.spillway.client.StartPosition;
import io.spillway.client.Subscription;
import io.spillway.client.SubscriptionBuilder;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeoutException;
import java.util.function.Consumer;
import java.util.function.LongSupplier;

/** How a topic is consumed, from its oldest record on. */
enum Consumption {
    /** A reader of its own, without acks. */
    STREAM("as a stream"),
    /** The only member of a group, which acks every record. */
    GROUP("in a group, each record acked");

    private static final int MAX_POLL = 1024;
    private static final Duration POLL = Duration.ofMillis(100);
    private static final Duration FLUSH = Duration.ofSeconds(60);
    private static final long PATIENCE_NS = 30_000_000_000L;

    private final String words;

    Consumption(String words) {
        this.words = words;
    }

    String words() {
        return words;
    }

    Subscription open(SpillwayClient client, String topic) {
        SubscriptionBuilder builder = client.subscribe(topic).start(StartPosition.earliest());
        return this == GROUP ? builder.group("bench").open() : builder.open();
    }

    /**
     * Takes messages until there were as many as {@code total} says, shows each to {@code onMessage}, and waits until the
     * broker has the acks.
     */
    void consume(Subscription subscription, LongSupplier total, Consumer<Message> onMessage) throws TimeoutException {
        long count = 0;
        long lastNs = System.nanoTime();
        while (count < total.getAsLong()) {
            List<Message> messages = subscription.poll(MAX_POLL, POLL);
            for (Message message : messages) {
                onMessage.accept(message);
                if (this == GROUP) {
                    message.ack();
                }
            }
            count += messages.size();
            long nowNs = System.nanoTime();
            if (!messages.isEmpty()) {
                lastNs = nowNs;
            } else if (nowNs - lastNs > PATIENCE_NS) {
                throw new TimeoutException("no message for 30 s after " + count + " of " + total.getAsLong());
            }
        }
        if (this == GROUP) {
            subscription.flushAcks(FLUSH);
        }
    }

    /** What a consumer of throughput does with a message: it looks at where the value is. */
    static void look(Message message) {
        if (!message.valueBuffer().hasRemaining()) {
            throw new IllegalStateException("a value is empty at offset " + message.offset());
        }
    }
}
