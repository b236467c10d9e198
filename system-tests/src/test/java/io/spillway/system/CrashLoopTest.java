package io.spillway.system;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.spillway.client.Message;
import io.spillway.client.SpillwayClient;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Kills -9 the broker again and again under load. {@code -Dspillway.kills=N} (2) kills; the seed is printed. */
@Timeout(300)
class CrashLoopTest {
    private static final int KILLS = Integer.getInteger("spillway.kills", 2);

    @TempDir
    Path directory;

    @ParameterizedTest
    @ValueSource(strings = {"mapped", "synced"})
    void losesNothingAckedAndStoresNothingTwice(String durability) throws Exception {
        long seed = Long.getLong("spillway.seed", System.nanoTime());
        System.out.println("crash loop, seed " + seed);
        SplittableRandom random = new SplittableRandom(seed);
        try (BrokerProcess broker = BrokerProcess.start(directory.resolve("data"), "log.segment-bytes=4MiB");
                SpillwayClient client = broker.client()) {
            client.admin().createTopic("numbers", 1, Map.of("durability", durability));
            try (Numbers numbers = new Numbers(client, "numbers", 0)) {
                for (int i = 0; i < KILLS; i++) {
                    long enough = numbers.ackCount() + random.nextInt(500, 5_000);
                    await("more acks").atMost(BrokerProcess.PATIENCE).until(() -> numbers.ackCount() >= enough);
                    broker.kill9();
                    broker.start();
                }
                numbers.finish();

                assertThat(numbers.failures()).as("publishes that failed").isEmpty();
                List<Message> stored = Numbers.readAll(client, "numbers");
                Set<Long> found = new HashSet<>();
                for (int i = 0; i < stored.size(); i++) {
                    assertThat(Numbers.numberOf(stored.get(i).value()))
                            .as("the number at offset %d", i)
                            .isEqualTo(i);
                    found.add((long) i);
                }
                assertThat(found).as("stored").containsAll(numbers.acked());
            }
            assertThat(broker.terminate()).isZero();
        }
    }

    @Test
    void opensAtOnceWhenItsProcessIdComesBack() throws Exception {
        Environment.assumeRoot();
        List<String> namespace = List.of("unshare", "--pid", "--fork", "--mount-proc", "--kill-child");
        try (BrokerProcess broker = BrokerProcess.startUnder(namespace, directory.resolve("data"));
                SpillwayClient client = broker.client()) {
            client.admin().createTopic("numbers", 1, Map.of("durability", "mapped"));
            try (Numbers numbers = new Numbers(client, "numbers", 0)) {
                for (int i = 0; i < 2; i++) {
                    long enough = numbers.ackCount() + 1_000;
                    await("more acks").atMost(BrokerProcess.PATIENCE).until(() -> numbers.ackCount() >= enough);
                    broker.kill9();
                    broker.start();
                }
                numbers.finish();

                assertThat(numbers.failures()).isEmpty();
                assertThat(Numbers.readAll(client, "numbers"))
                        .hasSize(numbers.acked().size());
            }
        }
    }
}
