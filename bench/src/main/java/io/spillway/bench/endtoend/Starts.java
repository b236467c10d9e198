package io.spillway.bench.endtoend;

import io.spillway.bench.SampleBatch;
import io.spillway.client.Durability;
import io.spillway.client.OutgoingRecord;
import io.spillway.client.Producer;
import io.spillway.client.SpillwayClient;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;

/** How long a broker takes to start and what memory it has then. The first start, on an empty directory, is not counted. */
final class Starts {
    private static final String SECTION = "Start and memory";
    private static final int RECORD_BYTES = 128;
    private static final Duration ACK = Duration.ofSeconds(10);
    /** What a broker that nobody uses settles at. */
    private static final long SETTLE_MS = 500;

    private final Path command;
    private final Path directory;

    Starts(Path command, Path directory) {
        this.command = command;
        this.directory = directory;
    }

    void run(int starts, Report report) throws IOException, InterruptedException {
        for (int i = 0; i <= starts; i++) {
            long spawnedNs = System.nanoTime();
            try (BrokerProcess broker =
                            BrokerProcess.start(command, directory.resolve("starts"), directory.resolve("broker.log"));
                    SpillwayClient client = SpillwayClient.builder()
                            .endpoints(broker.endpoint())
                            .connect()) {
                publishOne(client, i == 0);
                double ackMs = (System.nanoTime() - spawnedNs) / 1e6;
                Thread.sleep(SETTLE_MS);
                if (i > 0) {
                    report.add(SECTION, "spawn to ready, ms", "value", broker.readyMs());
                    report.add(SECTION, "spawn to first record acked SYNCED, ms", "value", ackMs);
                    addMemory("idle", broker, report);
                }
            }
        }
    }

    private static void publishOne(SpillwayClient client, boolean create) {
        if (create) {
            client.admin().createTopic("starts", 1, Map.of("durability", "synced"));
        }
        try (Producer producer =
                client.producer("starts").durability(Durability.SYNCED).open()) {
            producer.publishAndWait(OutgoingRecord.of(SampleBatch.value(RECORD_BYTES)), ACK);
        }
    }

    /** RSS counts pages of the log that are mapped; they are page cache and go when somebody needs the memory. */
    static void addMemory(String when, BrokerProcess broker, Report report) throws IOException {
        report.add(SECTION, when + ": RSS, MiB", "value", broker.statusMib("VmRSS"));
        report.add(SECTION, when + ": of that not page cache, MiB", "value", broker.statusMib("RssAnon"));
    }
}
