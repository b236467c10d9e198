package io.spillway.broker.replay;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.spillway.broker.base.SpillwayException;
import io.spillway.broker.catalog.TopicNames;
import io.spillway.broker.shard.ShardFixture;
import io.spillway.broker.shard.TestMember;
import io.spillway.protocol.Code;
import io.spillway.protocol.v1.AckItem;
import io.spillway.protocol.v1.ReplayAdmin;
import io.spillway.protocol.v1.ReplayStops;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A replay that cannot be written to the audit is not done. */
@Timeout(60)
class ReplayAuditTest {
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

    @ParameterizedTest(name = "the audit was written before: {0}")
    @ValueSource(booleans = {false, true})
    void onAFullDiskTheAuditIsWrittenFromTheReserve(boolean writtenBefore) throws IOException {
        shard.publish("orders", "a", "b");
        TestMember member = shard.join("orders", "g", Map.of());
        replays.settle(member, AckItem.newBuilder());
        ReplayAdmin.Builder start = ReplayFixture.start(
                replays.plan(ReplayFixture.of("orders")), ReplayFixture.GROUP, "g", ReplayStops.newBuilder());
        if (writtenBefore) {
            replays.ackUntilDone(replays.start(start), member);
        }
        replays.restartOnFullDisk();
        assertThatThrownBy(() -> shard.publish("orders", "c"))
                .isInstanceOfSatisfying(
                        SpillwayException.class, why -> assertThat(why.code()).isEqualTo(Code.READ_ONLY));
        int entries = shard.records(TopicNames.AUDIT).size();

        TestMember again = shard.join("orders", "g", Map.of());
        assertThat(replays.ackUntilDone(replays.start(start), again).getAcked()).isEqualTo(2);
        replays.pass(100);

        assertThat(shard.records(TopicNames.AUDIT))
                .as("requested, done, and the end of the job")
                .hasSize(entries + 3);
    }

    @ParameterizedTest(name = "the audit was written before: {0}")
    @ValueSource(booleans = {false, true})
    void aStartThatTheAuditCannotTakeIsRefusedAndLeavesNothing(boolean writtenBefore) {
        shard.publish("orders", "a", "b");
        TestMember member = shard.join("orders", "g", Map.of());
        replays.settle(member, AckItem.newBuilder());
        ReplayAdmin.Builder start = ReplayFixture.start(
                replays.plan(ReplayFixture.of("orders")), ReplayFixture.GROUP, "g", ReplayStops.newBuilder());
        if (writtenBefore) {
            replays.ackUntilDone(replays.start(start), member);
        }
        int jobs = replays.jobs().size();
        int entries = shard.records(TopicNames.AUDIT).size();
        shard.failLog(new IOException("No space left on device"));

        assertThatThrownBy(() -> replays.start(start)).isInstanceOfSatisfying(SpillwayException.class, why -> {
            assertThat(why.what()).isEqualTo("replay.start was not done");
            assertThat(why.why()).contains("audit", "No space left on device");
        });
        replays.pass(1_000);
        assertThat(replays.jobs()).hasSize(jobs);
        assertThat(member.take()).isEmpty();

        replays.kill();
        replays.pass(1_000);
        assertThat(replays.jobs()).hasSize(jobs);
        assertThat(shard.records(TopicNames.AUDIT)).hasSize(entries);
        TestMember again = shard.join("orders", "g", Map.of());
        assertThat(replays.ackUntilDone(replays.start(start), again).getAcked()).isEqualTo(2);
    }
}
