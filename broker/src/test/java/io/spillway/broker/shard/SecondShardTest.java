package io.spillway.broker.shard;

import static org.assertj.core.api.Assertions.assertThat;

import io.spillway.broker.base.Clock;
import io.spillway.broker.base.Published;
import io.spillway.broker.catalog.TopicCatalog;
import io.spillway.broker.log.LogConfig;
import io.spillway.broker.log.ShardLog;
import io.spillway.broker.records.GroupCreated;
import io.spillway.broker.records.StateRecord;
import io.spillway.broker.records.StateRecords;
import io.spillway.broker.records.TopicCreated;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A shard that learns of its topics from another one. */
class SecondShardTest {
    private static final LogConfig LOG =
            LogConfig.defaults().withSegmentBytes(1 << 20).withMinFreeBytes(0);

    private final Published<TopicCatalog> catalog = new Published<>(TopicCatalog.EMPTY.apply(TopicCreated.newBuilder()
            .setTopicId(1)
            .setName("orders")
            .setPartitions(1)
            .setFirstPartitionId(1)
            .setShard(1)
            .setRevision(1)
            .build()));

    @TempDir
    Path directory;

    private ShardState recover(ShardLog log) {
        ShardState state = new ShardState(1, log, ShardConfig.DEFAULT, catalog, 1);
        Recovery.run(state);
        return state;
    }

    @Test
    void comesBackWithItsGroupsWhenThereIsNoSnapshotYet() {
        GroupCreated group = GroupCreated.newBuilder()
                .setGroupId(7)
                .setTopicId(1)
                .setName("billing")
                .build();
        try (ShardLog log = ShardLog.open(directory, LOG, Clock.SYSTEM)) {
            recover(log);
            StateRecord record = StateRecord.newBuilder().setGroupCreated(group).build();
            log.append(StateRecords.newBuilder().addRecords(record).build().toByteArray(), 0, null);
        }

        try (ShardLog log = ShardLog.open(directory, LOG, Clock.SYSTEM)) {
            assertThat(recover(log).groups.containsKey(7)).isTrue();
        }
    }
}
