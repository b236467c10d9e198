package io.spillway.broker.cli;

import io.spillway.client.Message;
import io.spillway.client.SpillwayClient;
import io.spillway.client.StartPosition;
import io.spillway.client.Subscription;
import io.spillway.client.SubscriptionBuilder;
import io.spillway.client.TopicDescription;
import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Measures consuming what a topic has, as a reader or in a group. */
final class BenchConsume {
    private static final int MAX_POLL = 10_000;
    private static final Duration POLL_STEP = Duration.ofMillis(100);

    private final CommonOptions common;
    private final BenchOptions options;
    private final @Nullable String group;

    BenchConsume(CommonOptions common, BenchOptions options, @Nullable String group) {
        this.common = common;
        this.options = options;
        this.group = group;
    }

    /** Consumes up to that many records, timed from the subscription to the last message, acks included. */
    BenchReport run(long most) {
        try (SpillwayClient client = common.connect()) {
            TopicDescription topic = client.admin().describeTopic(options.topicName());
            long startNs = System.nanoTime();
            try (Subscription subscription = open(client)) {
                LogEnd end = group == null
                        ? new ReaderEnd(topic, Position.parse("earliest"))
                        : new GroupEnd(client.admin(), subscription, group, common.timeout());
                return consume(subscription, end, most, startNs);
            }
        }
    }

    private Subscription open(SpillwayClient client) {
        SubscriptionBuilder builder = client.subscribe(options.topicName()).start(StartPosition.earliest());
        return group == null ? builder.open() : builder.group(group).open();
    }

    private BenchReport consume(Subscription subscription, LogEnd end, long most, long startNs) {
        long records = 0;
        long bytes = 0;
        long lastNs = System.nanoTime();
        long idleNs = 0;
        while (records < most
                && !end.reached(idleNs)
                && idleNs < common.timeout().toNanos()) {
            List<Message> batch = subscription.poll((int) Math.min(MAX_POLL, most - records), POLL_STEP);
            for (Message message : batch) {
                if (end.covers(message)) {
                    bytes += message.valueBuffer().remaining();
                    records++;
                }
                message.ack();
            }
            lastNs = batch.isEmpty() ? lastNs : System.nanoTime();
            idleNs = batch.isEmpty() ? System.nanoTime() - lastNs : 0;
        }
        if (group != null) {
            subscription.flushAcks(common.timeout());
        }
        long missing = most == Long.MAX_VALUE ? 0 : most - records;
        return new BenchReport(
                "consume",
                options.topicName(),
                records,
                bytes,
                missing,
                lastNs - startNs,
                BenchReport.UNMEASURED,
                BenchReport.UNMEASURED);
    }
}
