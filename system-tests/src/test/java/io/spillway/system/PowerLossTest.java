package io.spillway.system;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.spillway.client.Message;
import io.spillway.client.SpillwayClient;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * What a power cut leaves: the image of the broker's file system as it is on the disk while the broker is frozen, without
 * what the page cache still holds. A killed process proves nothing of this.
 */
@Timeout(240)
class PowerLossTest {
    @TempDir
    Path directory;

    @Test
    void losesNothingAckedSynced() throws Exception {
        Path cut = directory.resolve("cut");
        List<Long> acked;
        try (Environment.Mount disk = Environment.mount(directory, 512);
                BrokerProcess broker = BrokerProcess.start(
                        disk.point().resolve("data"), "log.segment-bytes=8MiB", "log.min-free-bytes=16MiB");
                SpillwayClient client = broker.client()) {
            client.admin().createTopic("numbers", 1, Map.of("durability", "synced"));
            try (Numbers numbers = new Numbers(client, "numbers", 0)) {
                await("acks").atMost(BrokerProcess.PATIENCE).until(() -> numbers.ackCount() >= 30_000);
                broker.signal("STOP");
                acked = numbers.acked();
                // What is in the image's own pages is what reached the disk below the loop device.
                Environment.run("cp", "--sparse=always", disk.image().toString(), cut.toString());
                broker.kill9();
                numbers.stop();
            }
        }

        Path point = Files.createDirectory(directory.resolve("after"));
        try (Environment.Mount disk = Environment.mountImage(cut, point);
                BrokerProcess broker = BrokerProcess.start(
                        disk.point().resolve("data"), "log.segment-bytes=8MiB", "log.min-free-bytes=16MiB");
                SpillwayClient client = broker.clientBuilder()
                        .requestTimeout(Duration.ofSeconds(30))
                        .connect()) {
            List<Message> stored = Numbers.readAll(client, "numbers");
            Set<Long> found = new HashSet<>();
            stored.forEach(message -> found.add(Numbers.numberOf(message.value())));

            assertThat(found).as("stored twice").hasSize(stored.size());
            assertThat(found).as("acked SYNCED before the power went").containsAll(acked);
        }
    }
}
