package io.spillway.system;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.spillway.client.OutgoingRecord;
import io.spillway.client.Producer;
import io.spillway.client.SpillwayClient;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(120)
class RetentionTest {
    private static final long MIB = 1 << 20;

    @TempDir
    Path directory;

    private long diskBytes() throws IOException {
        try (Stream<Path> files = Files.walk(directory.resolve("data"))) {
            long blocks = 0;
            for (Path file : files.filter(Files::isRegularFile).toList()) {
                // Blocks, not lengths: a mapped file may be longer than what it takes.
                Process stat = new ProcessBuilder("stat", "-c", "%b", file.toString()).start();
                String text =
                        new String(stat.getInputStream().readAllBytes(), java.nio.charset.StandardCharsets.US_ASCII);
                blocks += text.isBlank() ? 0 : Long.parseLong(text.trim());
            }
            return blocks * 512;
        }
    }

    @Test
    void givesTheDiskBackAlsoWhereALongLivedTopicSharesTheSegments() throws Exception {
        try (BrokerProcess broker = BrokerProcess.start(
                        directory.resolve("data"),
                        "log.segment-bytes=4MiB",
                        "retention.check-interval-ms=200ms",
                        "snapshot.interval-bytes=1MiB",
                        "log.segment-max-age-ms=2s");
                SpillwayClient client = broker.client()) {
            client.admin().createTopic("keep", 1, Map.of("durability", "mapped"));
            client.admin().createTopic("expire", 1, Map.of("durability", "mapped"));
            try (Producer keep = client.producer("keep").open();
                    Producer expire = client.producer("expire").open()) {
                for (int i = 0; i < 6_000; i++) {
                    expire.publish(OutgoingRecord.of(new byte[10_000]));
                    if (i % 20 == 0) {
                        keep.publish(OutgoingRecord.of(Numbers.value(i / 20)));
                    }
                }
                expire.flush(Duration.ofSeconds(30));
                keep.flush(Duration.ofSeconds(30));
            }
            // A segment that is being closed moves while the files are counted, and may be missed once.
            await("everything to be on disk").atMost(Duration.ofSeconds(30)).until(() -> diskBytes() > 55 * MIB);

            client.admin().alterTopic("expire", Map.of("retention.bytes", Long.toString(MIB)));

            await("the disk to be given back").atMost(Duration.ofSeconds(60)).until(() -> diskBytes() < 20 * MIB);
            assertThat(Numbers.readAll(client, "keep")).hasSize(300);
            assertThat(client.admin()
                            .describeTopic("expire")
                            .partitions()
                            .get(0)
                            .startOffset())
                    .isPositive();

            broker.kill9();
            broker.start();
            assertThat(Numbers.readAll(client, "keep")).hasSize(300);
        }
    }
}
