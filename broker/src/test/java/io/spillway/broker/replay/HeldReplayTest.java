package io.spillway.broker.replay;

import static org.assertj.core.api.Assertions.assertThat;

import io.spillway.broker.shard.ShardFixture;
import io.spillway.broker.shard.TestMember;
import io.spillway.protocol.v1.AckItem;
import io.spillway.protocol.v1.ReplayStops;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Replays while the broker has too much to do. */
@Timeout(60)
class HeldReplayTest {
    private static final AckItem.Builder ACK = AckItem.newBuilder();

    private ReplayFixture replays;
    private ShardFixture shard;

    @BeforeEach
    void open(@TempDir Path directory) {
        replays = new ReplayFixture(directory.resolve("shard"));
        shard = replays.shard;
        shard.createTopic("orders", Map.of());
    }

    @AfterEach
    void close() {
        replays.close();
    }

    @Test
    void aCopyWaitsAndGoesOn() {
        shard.createTopic("again", Map.of("accepts", "replay"));
        shard.publish("orders", "a", "b");
        var plan = replays.plan(ReplayFixture.of("orders"));
        replays.held.set(true);
        String job = replays.start(ReplayFixture.start(plan, ReplayFixture.TOPIC, "again", ReplayStops.newBuilder()));
        replays.pass(2_000);

        assertThat(shard.records("again")).isEmpty();
        assertThat(replays.job(job).getState()).as("it has not ended or paused").isEqualTo(JobRecord.RUNNING);

        replays.held.set(false);
        replays.awaited(job, JobRecord.DONE);
        assertThat(shard.records("again")).hasSize(2);
    }

    @Test
    void aLaneDeliversNothingWhileLiveRecordsGoOn() {
        shard.publish("orders", "old");
        TestMember member = shard.join("orders", "g", Map.of());
        shard.until(() -> !member.received.isEmpty(), "the record");
        replays.settle(member, ACK);
        shard.pass(100);
        var plan = replays.plan(ReplayFixture.of("orders"));
        shard.holdsReplays = true;
        replays.start(ReplayFixture.start(plan, LaneWork.GROUP, "g", ReplayStops.newBuilder()));
        replays.pass(1_000);
        shard.publish("orders", "new");
        shard.until(() -> !member.received.isEmpty(), "the live record");
        replays.pass(1_000);

        assertThat(member.take()).extracting(TestMember.Delivered::value).containsExactly("new");

        shard.holdsReplays = false;
        shard.until(() -> !member.received.isEmpty(), "the old record");
        assertThat(member.take()).extracting(TestMember.Delivered::value).containsExactly("old");
    }
}
