package io.spillway.broker.cli;

import io.spillway.client.Message;
import io.spillway.client.SpillwayClient;
import io.spillway.client.SpillwayException;
import io.spillway.client.Subscription;
import io.spillway.client.TopicDescription;
import io.spillway.protocol.Code;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code spillway dlq}: shows the records that groups gave up, and brings them back. */
@Command(name = "dlq", description = "Shows the records that groups gave up, and brings them back.")
final class DlqCommand {
    private static final String SUFFIX = ".dlq";
    private static final int MAX_POLL = 1_000;
    private static final Duration POLL_STEP = Duration.ofMillis(100);
    private static final int ERROR_CHARS = 60;

    private final Console console;

    private DlqCommand(Console console) {
        this.console = console;
    }

    /** The command with what it can do. */
    static CommandLine of(Console console) {
        return new CommandLine(new DlqCommand(console)).addSubcommand(new DlqRedrive(console));
    }

    @Command(
            name = "list",
            description = {
                "Lists the dead letters of a topic, the oldest first: where each comes from, why it was given up, how often "
                        + "it was delivered and what went wrong last.",
                "Causes: MAX_DELIVERIES, LEASE_EXPIRED, MEMBERS_FAILED, TERMINATED, POISON, EXPIRED."
            })
    int list(
            @Mixin CommonOptions common,
            @Parameters(paramLabel = "TOPIC", description = "The topic they come from, or its dead-letter topic.")
                    String topic,
            @Option(names = "--cause", paramLabel = "CAUSE", description = "Only those with this cause.") @Nullable
                    String cause,
            @Option(names = "--group", paramLabel = "GROUP", description = "Only those this group gave up.") @Nullable
                    String group,
            @Option(
                            names = "--from",
                            paramLabel = "POSITION",
                            defaultValue = "earliest",
                            description =
                                    "Where in the dead-letter topic to begin: earliest, offset:0:OFFSET or time:T. "
                                            + "Default: earliest.")
                    Position from,
            @Option(names = "--limit", paramLabel = "N", defaultValue = "100", description = "Default: 100.")
                    long limit)
            throws IOException {
        UsageException.atLeast("--limit", limit, 1);
        List<DeadLetter> found;
        try (SpillwayClient client = common.connect()) {
            TopicDescription dead = deadLetterTopic(client, topic);
            found = dead == null
                    ? List.of()
                    : read(
                            client,
                            dead,
                            from,
                            common.timeout(),
                            limit,
                            letter -> (cause == null || letter.get("cause").equals(cause.toUpperCase(Locale.ROOT)))
                                    && (group == null || letter.get("group").equals(group)));
        }
        if (common.json()) {
            for (DeadLetter letter : found) {
                console.json(letter::writeJson);
            }
        } else {
            console.line(found.isEmpty() ? "no dead letters" : table(found));
        }
        return ExitCode.OK;
    }

    /** Null when the topic is there and has no dead letters yet. */
    private static @Nullable TopicDescription deadLetterTopic(SpillwayClient client, String topic) {
        if (topic.endsWith(SUFFIX)) {
            return client.admin().describeTopic(topic);
        }
        client.admin().describeTopic(topic);
        try {
            return client.admin().describeTopic(topic + SUFFIX);
        } catch (SpillwayException e) {
            if (e.reason().equals(Code.TOPIC_NOT_FOUND.name())) {
                return null;
            }
            throw e;
        }
    }

    private interface Wanted {
        boolean test(DeadLetter letter);
    }

    /** Reads up to the end the topic has now. */
    private static List<DeadLetter> read(
            SpillwayClient client, TopicDescription topic, Position from, Duration timeout, long limit, Wanted wanted) {
        List<DeadLetter> found = new ArrayList<>();
        ReaderEnd end = new ReaderEnd(topic, from);
        try (Subscription reader =
                client.subscribe(topic.name()).start(from.start()).open()) {
            long lastNs = System.nanoTime();
            long idleNs = 0;
            while (found.size() < limit && !end.reached(idleNs) && idleNs < timeout.toNanos()) {
                List<Message> batch = reader.poll(MAX_POLL, POLL_STEP);
                for (Message message : batch) {
                    DeadLetter letter = DeadLetter.of(message);
                    if (end.covers(message) && found.size() < limit && wanted.test(letter)) {
                        found.add(letter);
                    }
                }
                lastNs = batch.isEmpty() ? lastNs : System.nanoTime();
                idleNs = batch.isEmpty() ? System.nanoTime() - lastNs : 0;
            }
        }
        return found;
    }

    private static String table(List<DeadLetter> letters) {
        Table table = new Table("OFFSET", "GIVEN UP", "CAUSE", "ORIGIN", "GROUP", "ATTEMPTS", "FAILURES", "ERROR");
        for (DeadLetter letter : letters) {
            String error = letter.get("error").replaceAll("\\s+", " ");
            table.row(
                    letter.message().offset(),
                    Instant.ofEpochMilli(letter.message().appendTimeMs()),
                    letter.get("cause"),
                    letter.origin(),
                    letter.get("group"),
                    letter.get("attempts"),
                    letter.get("failures"),
                    error.length() > ERROR_CHARS ? error.substring(0, ERROR_CHARS - 3) + "..." : error);
        }
        return table.toString();
    }
}
