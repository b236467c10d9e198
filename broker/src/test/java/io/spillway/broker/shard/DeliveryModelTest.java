package io.spillway.broker.shard;

import static org.assertj.core.api.Assertions.assertThat;

import io.spillway.protocol.Seeded;
import java.nio.file.Path;
import java.util.random.RandomGenerator;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/**
 * Random lives of a shard with a group in each mode, on a clock that is moved by hand and with a real log: publishes,
 * members that come and go, every way to settle, time, filters, pauses, seeks, replays, purges, kills and power cuts; every delivery is
 * compared with an oracle. More than 100,000 operations.
 */
@ExtendWith(SampledBuffers.class)
class DeliveryModelTest {
    private static final int OPERATIONS = 5_200;

    @TempDir(factory = MemoryDirectory.class)
    Path directory;

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
