package io.spillway.broker.cli;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.spillway.broker.base.SpillwayException;
import io.spillway.broker.catalog.TopicNames;
import io.spillway.client.Message;
import io.spillway.client.SpillwayClient;
import io.spillway.client.StartPosition;
import io.spillway.client.Subscription;
import io.spillway.client.TopicDescription;
import io.spillway.protocol.Code;
import java.time.Duration;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** Looks at what another client's canary wrote last: each of its records says how the round trip before went. */
final class CanaryWatch implements CanaryCommand.Probe {
    private static final Pattern LAST = Pattern.compile("\"last_ms\":([0-9.]{1,20})");

    private final SpillwayClient client;
    private final String topic;
    private final Duration maxAge;
    private final Duration patience;

    CanaryWatch(SpillwayClient client, String language, Duration maxAge, Duration patience) {
        this.client = client;
        topic = TopicNames.CANARY + language;
        this.maxAge = maxAge;
        this.patience = patience;
    }

    @Override
    public double roundTripMs() {
        TopicDescription.Partition partition =
                client.admin().describeTopic(topic).partitions().get(0);
        long last = partition.visibleOffset() - 1;
        if (last < partition.startOffset()) {
            throw stale("it has written nothing, or nothing for long");
        }
        Message message = read(last);
        if (message == null) {
            throw stale("its last record cannot be read");
        }
        long ageMs = System.currentTimeMillis() - message.appendTimeMs();
        if (ageMs > maxAge.toMillis()) {
            throw stale("it last wrote " + ageMs + " ms ago (limit " + maxAge.toMillis() + " ms)");
        }
        Matcher found = LAST.matcher(new String(message.value(), UTF_8));
        return found.find() ? Double.parseDouble(found.group(1)) : 0;
    }

    private @Nullable Message read(long offset) {
        try (Subscription reader = client.subscribe(topic)
                .partitions(0)
                .start(StartPosition.offset(0, offset))
                .open()) {
            return reader.poll(patience);
        }
    }

    private SpillwayException stale(String why) {
        return new SpillwayException(
                Code.DEADLINE_EXCEEDED,
                "the canary of " + topic + " does not fly",
                why,
                "see whether its process runs, and what it says");
    }

    @Override
    public void close() {}
}
