package io.spillway.system;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.spillway.client.Message;
import io.spillway.client.OutgoingRecord;
import io.spillway.client.Producer;
import io.spillway.client.SpillwayClient;
import io.spillway.client.SpillwayException;
import io.spillway.client.StartPosition;
import io.spillway.client.Subscription;
import io.spillway.protocol.Code;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.Objects;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A small file system filled to the last byte: publishing is refused before, consuming goes on, it heals by itself. */
@Timeout(180)
class DiskFullTest {
    @TempDir
    Path directory;

    @Test
    void refusesPublishingBeforeTheDiskIsFullAndRecovers() throws Exception {
        try (Environment.Mount disk = Environment.mount(directory, 160);
                BrokerProcess broker = BrokerProcess.start(
                        disk.point().resolve("data"),
                        "log.segment-bytes=8MiB",
                        "log.min-free-bytes=24MiB",
                        "retention.check-interval-ms=500ms");
                SpillwayClient client = broker.client()) {
            client.admin().createTopic("numbers", 1, Map.of("durability", "mapped"));
            try (Producer producer = client.producer("numbers")
                    .deliveryTimeout(Duration.ofSeconds(8))
                    // Others are refused before the disk is that full.
                    .shedClass(1)
                    .open()) {
                long stored = fill(producer, 0);
                Path ballast = disk.point().resolve("ballast");
                occupy(ballast);

                assertThat(tryPublish(producer, stored)).isEqualTo(Code.READ_ONLY);
                consumes(client, stored);

                Files.delete(ballast);
                client.admin().alterTopic("numbers", Map.of("retention.bytes", Integer.toString(16 << 20)));
                await("publishing to go on")
                        .atMost(BrokerProcess.PATIENCE)
                        .until(() -> tryPublish(producer, stored) == null);
            }
        }
    }

    /** Publishes until it is refused; returns how many records are stored. */
    private static long fill(Producer producer, long first) {
        long number = first;
        while (true) {
            try {
                for (int i = 0; i < 500; i++) {
                    long current = number + i;
                    producer.publish(OutgoingRecord.builder(new byte[8_000])
                            .header("n", Long.toString(current))
                            .build());
                }
                producer.publishAndWait(OutgoingRecord.of(Numbers.value(number)), Duration.ofSeconds(8));
                number += 501;
            } catch (SpillwayException e) {
                assertThat(e.is(Code.READ_ONLY)).as("%s", e).isTrue();
                assertThat(e.nextStep()).isNotEmpty();
                return number;
            }
        }
    }

    private static @org.jspecify.annotations.Nullable Code tryPublish(Producer producer, long number) {
        try {
            producer.publishAndWait(OutgoingRecord.of(Numbers.value(number)), Duration.ofSeconds(8));
            return null;
        } catch (SpillwayException e) {
            return Code.of(e.code());
        }
    }

    /** Takes the last byte of the file system. */
    private static void occupy(Path file) throws IOException {
        byte[] block = new byte[64 << 10];
        try (OutputStream out = Files.newOutputStream(file)) {
            while (true) {
                out.write(block);
            }
        } catch (IOException full) {
            assertThat(full).hasMessageContaining("No space left");
        }
    }

    private static void consumes(SpillwayClient client, long atLeast) {
        try (Subscription group = client.subscribe("numbers")
                .group("g")
                .start(StartPosition.earliest())
                .open()) {
            long got = 0;
            while (got < atLeast) {
                Message message = group.poll(Duration.ofSeconds(20));
                Objects.requireNonNull(message, "record " + got + " of " + atLeast)
                        .ack();
                got++;
            }
            group.flushAcks(Duration.ofSeconds(20));
        }
        assertThat(client.admin()
                        .describeGroup("numbers", "g")
                        .partitions()
                        .get(0)
                        .cursor())
                .isGreaterThanOrEqualTo(atLeast);
    }
}
