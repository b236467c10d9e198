package io.spillway.broker.cli;

import io.spillway.client.Message;
import io.spillway.client.ReplayPlan;
import io.spillway.client.SpillwayClient;
import io.spillway.client.StartPosition;
import io.spillway.client.Subscription;
import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.channels.Channels;
import java.nio.channels.FileChannel;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.List;

/** Copies the records of a plan into a new file, one JSON line each, as {@code consume --output json} writes them. */
final class ReplayFile {
    private static final int MAX_POLL = 1_000;
    private static final Duration POLL_STEP = Duration.ofMillis(200);
    /** How long nothing may come while records are missing. */
    private static final long SILENCE_NS = 30_000_000_000L;

    private final SpillwayClient client;
    private final Console console;
    private final Path path;

    ReplayFile(SpillwayClient client, Console console, Path path) {
        this.client = client;
        this.console = console;
        this.path = path;
    }

    int write(String planId, String reason) throws IOException {
        try (FileChannel file = create()) {
            String topic = client.admin().replayPlan(planId).topic();
            List<ReplayPlan.Range> ranges = client.admin().replayToFile(planId, path.toString(), reason);
            long all = ranges.stream()
                    .mapToLong(range -> range.to() - range.from())
                    .sum();
            OutputStream out = new BufferedOutputStream(Channels.newOutputStream(file), 64 << 10);
            Console lines = new Console(console.in(), out, console.err(), console.interactive());
            long written = 0;
            for (int first = 0; first < ranges.size(); ) {
                int partition = ranges.get(first).partition();
                int end = first;
                while (end < ranges.size() && ranges.get(end).partition() == partition) {
                    end++;
                }
                written += copy(topic, ranges.subList(first, end), new MessageWriter(lines, true), written, all);
                first = end;
            }
            out.flush();
            file.force(true);
            console.endProgress();
            console.line("wrote " + written + " of " + all + " records to " + path);
            return written == all ? ExitCode.OK : ExitCode.FAILURE;
        }
    }

    private FileChannel create() throws IOException {
        try {
            return FileChannel.open(path, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE);
        } catch (FileAlreadyExistsException e) {
            throw (UsageException) new UsageException(
                            path + " is there already", "a replay writes a new file", "give another path or remove it")
                    .initCause(e);
        }
    }

    /** Reads one partition from the first to the last range; how many records were meant. */
    private long copy(String topic, List<ReplayPlan.Range> ranges, MessageWriter writer, long before, long all)
            throws IOException {
        long last = ranges.get(ranges.size() - 1).to() - 1;
        long written = 0;
        long next = ranges.get(0).from();
        int range = 0;
        long heardNs = System.nanoTime();
        try (Subscription subscription = client.subscribe(topic)
                .partitions(ranges.get(0).partition())
                .start(StartPosition.offset(ranges.get(0).partition(), next))
                .open()) {
            while (next <= last && System.nanoTime() - heardNs < SILENCE_NS) {
                for (Message message : subscription.poll(MAX_POLL, POLL_STEP)) {
                    heardNs = System.nanoTime();
                    next = message.offset() + 1;
                    while (range < ranges.size() && ranges.get(range).to() <= message.offset()) {
                        range++;
                    }
                    if (range < ranges.size() && ranges.get(range).from() <= message.offset()) {
                        writer.write(message);
                        written++;
                    }
                }
                console.progress(ReplayFollower.bar(before + written, all) + " " + (before + written) + " of " + all);
            }
        }
        return written;
    }
}
