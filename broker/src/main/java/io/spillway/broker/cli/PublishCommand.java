package io.spillway.broker.cli;

import io.spillway.client.Durability;
import io.spillway.client.OutgoingRecord;
import io.spillway.client.Producer;
import io.spillway.client.SpillwayClient;
import io.spillway.client.SpillwayException;
import io.spillway.protocol.Code;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/**
 * {@code spillway publish}: streams records into a topic. Stops reading at the first record that fails, waits for the
 * outcome of those before it, and says how many were not acked.
 */
@Command(
        name = "publish",
        description = "Publishes records: each line, or each paragraph, of standard input or of a file.")
final class PublishCommand implements Callable<Integer> {
    private static final long PROGRESS_EVERY_NS = 500_000_000;
    private static final Duration FLUSH_STEP = Duration.ofMillis(500);
    private static final Duration FLUSH_MARGIN = Duration.ofSeconds(5);

    private final Console console;
    private final PublishTally tally = new PublishTally();

    @Parameters(paramLabel = "TOPIC", description = "Where to.")
    private String topic = "";

    @Mixin
    private CommonOptions common = new CommonOptions();

    @Mixin
    private RecordOptions records = new RecordOptions();

    @Option(names = "--file", paramLabel = "FILE", description = "Reads this file instead of standard input.")
    private @Nullable Path file;

    @Option(names = "--paragraph", description = "A record is a paragraph: records are separated by blank lines.")
    private boolean paragraph;

    @Option(
            names = "--durability",
            paramLabel = "LEVEL",
            description = "What an ack must stand for: default (the topic's), mapped, synced or quorum.")
    private Durability durability = Durability.DEFAULT;

    @Option(names = "--rate", paramLabel = "N", description = "At most this many records a second. Default: no limit.")
    private @Nullable Long rate;

    @Option(
            names = "--deadline",
            paramLabel = "DURATION",
            description = "How long a record may take to be acked: a broker that is back within it costs nothing. "
                    + "Default: 30s.")
    private Duration deadline = Duration.ofSeconds(30);

    PublishCommand(Console console) {
        this.console = console;
    }

    @Override
    public Integer call() throws IOException {
        RecordOptions.Template template = records.template();
        long perSecond = rate == null ? 0 : UsageException.atLeast("--rate", rate, 1);
        UsageException.atLeast("--deadline in ms", deadline.toMillis(), 1);
        try (InputStream in = file == null ? console.in() : Files.newInputStream(file);
                SpillwayClient client = common.connect();
                Producer producer = open(client)) {
            Pace pace = new Pace(System.nanoTime(), perSecond);
            Throwable inputError = publishAll(in, template, producer, pace);
            awaitOutcomes(producer, pace);
            return report(pace.elapsedNs(), inputError);
        }
    }

    private Producer open(SpillwayClient client) {
        return client.producer(topic)
                .durability(durability)
                .deliveryTimeout(deadline)
                .maxBlock(deadline)
                .open();
    }

    /** Publishes the input up to its end or the first failure; returns what was wrong with the input, if anything. */
    private @Nullable Throwable publishAll(
            InputStream in, RecordOptions.Template template, Producer producer, Pace pace) {
        RecordReader reader = new RecordReader(in, paragraph ? RecordReader.Mode.PARAGRAPH : RecordReader.Mode.LINE);
        long nextProgressNs = PROGRESS_EVERY_NS;
        try {
            byte[] value = reader.next();
            while (value != null && tally.firstFailure() == null) {
                publish(value, template, producer);
                pace.awaitNext();
                if (pace.elapsedNs() > nextProgressNs) {
                    console.progress(tally.progress(pace.elapsedNs()));
                    nextProgressNs = pace.elapsedNs() + PROGRESS_EVERY_NS;
                }
                value = reader.next();
            }
            return null;
        } catch (IOException | io.spillway.broker.base.SpillwayException e) {
            return e;
        }
    }

    private void publish(byte[] value, RecordOptions.Template template, Producer producer) {
        long number = tally.published(value.length);
        try {
            OutgoingRecord record = template.record(value, number);
            producer.publish(record, (ack, error) -> {
                if (ack != null) {
                    tally.acked(ack);
                } else if (error != null) {
                    tally.failed(number, error);
                }
            });
        } catch (SpillwayException e) {
            tally.failed(number, e);
        }
    }

    private void awaitOutcomes(Producer producer, Pace pace) {
        long limitNs = pace.elapsedNs() + deadline.plus(FLUSH_MARGIN).toNanos();
        boolean flushed = false;
        while (!flushed && pace.elapsedNs() < limitNs) {
            try {
                producer.flush(FLUSH_STEP);
                flushed = true;
            } catch (SpillwayException e) {
                if (!e.is(Code.DEADLINE_EXCEEDED)) {
                    throw e;
                }
                console.progress(tally.progress(pace.elapsedNs()));
            }
        }
        console.endProgress();
    }

    private int report(long elapsedNs, @Nullable Throwable inputError) throws IOException {
        if (common.json()) {
            console.json(json -> tally.writeJson(topic, elapsedNs, json));
        } else {
            console.line(tally.text(topic, elapsedNs));
        }
        PublishTally.Failure failure = tally.firstFailure();
        if (failure != null) {
            console.err()
                    .println("not acked: " + tally.unacked() + " records; the first is record " + failure.record()
                            + " of the input, of which " + tally.published() + " were read");
            throw new PublishFailedException(failure.error());
        }
        if (inputError != null) {
            throw new PublishFailedException(inputError);
        }
        return tally.unacked() == 0 ? ExitCode.OK : ExitCode.UNREACHABLE;
    }
}
