package io.spillway.broker.shard;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.util.ResourceLeakDetector;
import io.spillway.protocol.Seeded;
import java.nio.file.Path;
import java.util.random.RandomGenerator;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.io.TempDir;

/**
 * Random lives of a shard with a group in each mode, on a clock that is moved by hand and with a real log: publishes,
 * members that come and go, every way to settle, time, filters, pauses, seeks, replays, purges, kills and power cuts; every delivery is
 * compared with an oracle. More than 100,000 operations.
 */
class DeliveryModelTest {
    private static final int OPERATIONS = 5_200;

    private static ResourceLeakDetector.Level leaks = ResourceLeakDetector.getLevel();

    @TempDir(factory = MemoryDirectory.class)
    Path directory;

    /** Paranoid as the other tests are, each access of a buffer keeps a stack trace: nine tenths of the time. */
    @BeforeAll
    static void sampleBuffers() {
        leaks = ResourceLeakDetector.getLevel();
        ResourceLeakDetector.setLevel(ResourceLeakDetector.Level.SIMPLE);
    }

    @AfterAll
    static void watchBuffersAgain() {
        ResourceLeakDetector.setLevel(leaks);
    }

    @Seeded(runs = 20)
    void keepsEveryPromise(RandomGenerator random) {
        ShardLife life = new ShardLife(directory, random);
        for (int i = 0; i < OPERATIONS; i++) {
            life.act(i);
        }
        life.finish();
        assertThat(life.deliveries()).as("records delivered").isGreaterThan(OPERATIONS / 10);
        assertThat(life.replayed()).as("of replays").isPositive();
    }
}
