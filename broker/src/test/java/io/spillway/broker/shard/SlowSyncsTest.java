package io.spillway.broker.shard;

import static org.assertj.core.api.Assertions.assertThat;

import io.spillway.broker.catalog.TopicSpec;
import java.nio.file.Path;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** When syncs count as slow. */
class SlowSyncsTest {
    private static final int TOOK_MS = 8;
    private static final String HUNDRED_KIB = "x".repeat(100 << 10);

    @TempDir
    Path directory;

    private SteppedShard shard;

    @BeforeEach
    void open() {
        shard = new SteppedShard(directory.resolve("shard"));
    }

    @AfterEach
    void close() {
        shard.close();
    }

    private TopicSpec topic(String durability) {
        TopicSpec topic = shard.createTopic("t", 1, Map.of("durability", durability));
        shard.syncer.tookNs = TimeUnit.MILLISECONDS.toNanos(TOOK_MS);
        return topic;
    }

    /** A turn takes eleven batches, a mebibyte, and a sync follows. */
    private void publishAndSync(TopicSpec topic, int syncs, int batches) {
        for (int sync = 0; sync < syncs; sync++) {
            for (int i = 0; i < batches; i++) {
                shard.send(topic, 0, HUNDRED_KIB);
            }
            shard.run();
            shard.pass(ShardConfig.DEFAULT.flushIntervalMs());
        }
    }

    @Test
    void slowSyncsThatPublishesWaitForAreSeen() {
        publishAndSync(topic("synced"), 5, 1);

        assertThat(shard.load().syncMs()).isBetween(TOOK_MS - 2, TOOK_MS);
    }

    @Test
    void theTimeOfTheirBytesTheyMayTake() {
        publishAndSync(topic("synced"), 5, 44);

        assertThat(shard.load().syncMs()).isZero();
    }

    @Test
    void slowSyncsThatNoPublishWaitsForAreNone() {
        TopicSpec topic = topic("mapped");
        publishAndSync(topic, 5, 1);
        for (int i = 0; i < 5; i++) {
            shard.alterTopic("t", Map.of("retention.ms", Integer.toString(100_000 + i)));
        }

        assertThat(shard.load().syncMs()).isZero();
    }

    @Test
    void whatIsLongAgoIsForgottenThoughSyncsGoOn() {
        TopicSpec topic = topic("synced");
        publishAndSync(topic, 5, 1);
        shard.syncer.tookNs = 0;
        publishAndSync(topic, 4, 1);
        assertThat(shard.load().syncMs()).isPositive();
        publishAndSync(topic, 7, 1);

        assertThat(shard.load().syncMs()).isZero();
    }
}
