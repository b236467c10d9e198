package io.spillway.broker.shard;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.spillway.broker.base.Clock;
import io.spillway.broker.log.LogConfig;
import io.spillway.broker.log.ShardLog;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SyncThreadTest {
    @TempDir
    Path directory;

    @Test
    void aSnapshotThatCannotBeWrittenLeavesTheLogAsItIs() throws IOException {
        try (ShardLog log = ShardLog.open(directory.resolve("log"), LogConfig.defaults(), Clock.SYSTEM);
                SyncThread syncer =
                        new SyncThread(0, log.snapshots(), Clock.SYSTEM, new DiskFaults(Clock.SYSTEM), () -> {})) {
            log.append(new byte[] {1}, 0, null);
            Path snapshots = directory.resolve("log/snapshots");
            Files.deleteIfExists(snapshots);
            Files.createFile(snapshots);

            syncer.start(log.syncPoint(), new Syncer.SnapshotJob(1, new byte[] {1}));

            AtomicReference<Syncer.@Nullable Done> ended = new AtomicReference<>();
            await().atMost(Duration.ofSeconds(30)).until(() -> {
                ended.set(syncer.poll());
                return ended.get() != null;
            });
            Syncer.Done done = Objects.requireNonNull(ended.get());
            assertThat(done.failure()).isNull();
            assertThat(done.snapshotSequence()).isNegative();
            assertThat(done.point().sequence()).isEqualTo(1);
        }
    }
}
