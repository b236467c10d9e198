package io.spillway.broker.cli;

import io.spillway.client.LostLeases;
import io.spillway.client.Message;
import io.spillway.client.SpillwayClient;
import io.spillway.client.Subscription;
import io.spillway.client.SubscriptionBuilder;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.atomic.LongAdder;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/**
 * {@code spillway consume}: writes messages, one a line, and acks those of a group only once their lines are with the
 * reader of the output.
 */
@Command(
        name = "consume",
        description = {
            "Writes the messages of a topic, one a line: in a group, or as a reader of its own.",
            "Ends at the end the log has at the start, when no message came for --timeout, after --count messages, or "
                    + "at Ctrl-C; with --follow only at the last two, and after --timeout when that is given.",
            "The settings of a group are taken when it is new; one that is there keeps its own, which spillway group "
                    + "alter changes, and must have this mode and filter."
        })
final class ConsumeCommand implements Callable<Integer> {
    private static final int MAX_POLL = 1000;
    private static final Duration POLL_STEP = Duration.ofMillis(100);

    private final Console console;
    private final LongAdder lost = new LongAdder();

    @Parameters(paramLabel = "TOPIC", description = "What to consume.")
    private String topic = "";

    @Mixin
    private CommonOptions common = new CommonOptions();

    @Mixin
    private SubscriptionOptions options = new SubscriptionOptions();

    @Option(names = "--count", paramLabel = "N", description = "Ends after this many messages.")
    private @Nullable Long count;

    @Option(names = "--follow", description = "Goes on at the end of the log, with what is published then.")
    private boolean follow;

    ConsumeCommand(Console console) {
        this.console = console;
    }

    @Override
    public Integer call() throws IOException {
        options.check();
        long most = count == null ? Long.MAX_VALUE : UsageException.atLeast("--count", count, 1);
        try (StopSignal stop = StopSignal.listen();
                SpillwayClient client = common.connect(options.zone())) {
            LogEnd readerEnd = readerEnd(client);
            try (Subscription subscription = open(client, most)) {
                LogEnd end = readerEnd == null ? groupEnd(client, subscription) : readerEnd;
                consume(subscription, end, most, stop);
                subscription.flushAcks(common.timeout());
            }
        }
        if (lost.sum() > 0) {
            console.err()
                    .println(
                            "leases lost: " + lost.sum() + " written messages were not acked in time and are delivered "
                                    + "again; a longer --lease prevents it");
        }
        return ExitCode.OK;
    }

    private Subscription open(SpillwayClient client, long most) {
        SubscriptionBuilder builder =
                client.subscribe(topic).name("spillway-cli").onLostLeases(this::onLost);
        options.applyTo(builder, most);
        return builder.open();
    }

    private void onLost(LostLeases leases) {
        lost.add(leases.lastOffset() - leases.firstOffset() + 1);
    }

    /** The end for a reader, taken before it begins; null for the member of a group. */
    private @Nullable LogEnd readerEnd(SpillwayClient client) {
        Position from = options.from();
        if (follow) {
            return LogEnd.NEVER;
        }
        return options.group() != null || from == null
                ? null
                : new ReaderEnd(client.admin().describeTopic(topic), from);
    }

    private LogEnd groupEnd(SpillwayClient client, Subscription subscription) {
        String group = options.group();
        return group == null ? LogEnd.NEVER : new GroupEnd(client.admin(), subscription, group, common.timeout());
    }

    private void consume(Subscription subscription, LogEnd end, long most, StopSignal stop) throws IOException {
        MessageWriter writer = new MessageWriter(console, common.json());
        long written = 0;
        long lastNs = System.nanoTime();
        long idleNs = 0;
        while (!stop.requested() && written < most && !end.reached(idleNs) && !timedOut(idleNs)) {
            List<Message> batch = subscription.poll((int) Math.min(MAX_POLL, most - written), POLL_STEP);
            written += write(batch, end, writer);
            lastNs = batch.isEmpty() ? lastNs : System.nanoTime();
            idleNs = batch.isEmpty() ? System.nanoTime() - lastNs : 0;
        }
    }

    private static int write(List<Message> batch, LogEnd end, MessageWriter writer) throws IOException {
        int written = 0;
        for (Message message : batch) {
            if (end.covers(message)) {
                writer.write(message);
                written++;
            }
        }
        writer.flush();
        batch.forEach(Message::ack);
        return written;
    }

    private boolean timedOut(long idleNs) {
        return (!follow || common.timeoutGiven()) && idleNs >= common.timeout().toNanos();
    }
}
