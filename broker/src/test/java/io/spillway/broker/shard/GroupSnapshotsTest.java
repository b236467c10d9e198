package io.spillway.broker.shard;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.spillway.broker.base.SpillwayException;
import io.spillway.protocol.Code;
import io.spillway.protocol.v1.AckItem;
import io.spillway.protocol.v1.GroupInfo;
import io.spillway.protocol.v1.GroupPartition;
import io.spillway.protocol.v1.GroupSnapshot;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A group's ack state under a name, and the way back to it. */
@Timeout(60)
class GroupSnapshotsTest {
    private static final int NACK = 1;

    private ShardFixture shard;
    private TestMember member;
    private List<TestMember.Delivered> records;

    @BeforeEach
    void deliverFiveRecords(@TempDir Path directory) {
        shard = new ShardFixture(directory.resolve("shard"));
        shard.createTopic("orders", Map.of());
        shard.publish("orders", "a", "b", "c", "d", "e");
        member = shard.join("orders", "g", 0, 600_000, Map.of());
        records = member.take();
        assertThat(records).hasSize(5);
    }

    @AfterEach
    void close() {
        shard.close();
    }

    private void ack(int record) {
        assertThat(shard.settle(member, records.get(record), AckItem.newBuilder()))
                .isEmpty();
    }

    private void nack(int record, int delayMs) {
        AckItem.Builder nack = AckItem.newBuilder().setOutcome(NACK).setDelayMs(delayMs);
        assertThat(shard.settle(member, records.get(record), nack)).isEmpty();
    }

    private GroupSnapshot take(String name) {
        return shard.change("orders", "g", new GroupChange.TakeSnapshot(name), "before the fix")
                .snapshots()
                .get(0);
    }

    private static void assertRefused(Code code, ThrowingCallable call) {
        assertThatThrownBy(call)
                .isInstanceOf(SpillwayException.class)
                .satisfies(e -> assertThat(((SpillwayException) e).code()).isEqualTo(code));
    }

    @Test
    void restoresExactlyWhatWasSettledAndFailed() {
        ack(0);
        ack(2);
        nack(3, 60_000);
        take("before");
        ack(1);
        ack(4);
        long revision = shard.group("orders", "g").getRevision();

        GroupInfo restored =
                shard.change("orders", "g", new GroupChange.Restore("before")).group();

        GroupPartition partition = restored.getPartitions(0);
        assertThat(partition.getCursor()).isEqualTo(1);
        assertThat(partition.getAckedAbove()).isEqualTo(1);
        assertThat(partition.getWaitingRetry()).isEqualTo(1);
        assertThat(restored.getRevision()).isEqualTo(revision + 1);
        shard.step();
        assertThat(member.take()).extracting(TestMember.Delivered::value).containsExactly("b", "e");
        shard.pass(60_000);
        assertThat(member.take()).singleElement().satisfies(record -> {
            assertThat(record.value()).isEqualTo("d");
            assertThat(record.failures()).isEqualTo(1);
        });
    }

    @Test
    void endsTheLeasesOfThoseWhoHoldRecords() {
        take("before");

        shard.change("orders", "g", new GroupChange.Restore("before"));

        assertThat(shard.settle(member, records.get(0), AckItem.newBuilder()))
                .singleElement()
                .satisfies(error -> assertThat(error.getError().getReason()).isEqualTo("LEASE_LOST"));
        shard.step();
        assertThat(member.take()).hasSize(5);
    }

    @Test
    void keepsSnapshotsAndRestoresThroughAKillAndARestart() {
        ack(0);
        GroupSnapshot taken = take("before");
        ack(1);
        shard.kill();
        assertThat(snapshots()).containsExactly(taken.toBuilder().build());
        shard.restart();
        assertThat(snapshots()).containsExactly(taken);

        GroupInfo restored =
                shard.change("orders", "g", new GroupChange.Restore("before")).group();
        shard.kill();

        assertThat(shard.group("orders", "g")).isEqualTo(restored);
        assertThat(restored.getPartitions(0).getCursor()).isEqualTo(1);
    }

    private List<GroupSnapshot> snapshots() {
        return shard.change("orders", "g", new GroupChange.ListSnapshots()).snapshots();
    }

    @Test
    void keepsAtMostSixteenAndNoneTwice() {
        for (int i = 0; i < 16; i++) {
            take("s" + i);
        }

        assertRefused(Code.WRONG_STATE, () -> take("s16"));
        assertRefused(Code.ALREADY_EXISTS, () -> take("s3"));
        shard.change("orders", "g", new GroupChange.DeleteSnapshot("s3"));
        take("s16");
        assertThat(snapshots()).hasSize(16).extracting(GroupSnapshot::getName).doesNotContain("s3");
    }

    @Test
    void refusesWhatIsNotThere() {
        assertRefused(Code.NOT_FOUND, () -> shard.change("orders", "g", new GroupChange.Restore("never")));
        assertRefused(Code.NOT_FOUND, () -> shard.change("orders", "g", new GroupChange.DeleteSnapshot("never")));
        assertRefused(Code.INVALID_ARGUMENT, () -> take("no/name"));
    }

    @Test
    void beginsWhereTheLogBeginsWhenRecordsOfTheSnapshotAreGone() {
        take("before");
        shard.trim("orders", 3);

        GroupChange.Done done = shard.change("orders", "g", new GroupChange.Restore("before"));
        shard.step();

        assertThat(done.snapshots()).singleElement().satisfies(snapshot -> {
            assertThat(snapshot.getPartitions(0).getCursor()).isEqualTo(3);
            assertThat(snapshot.getPartitions(0).getDropped()).isEqualTo(3);
        });
        assertThat(done.group().getPartitions(0).getCursor()).isEqualTo(3);
        assertThat(member.take()).extracting(TestMember.Delivered::value).containsExactly("d", "e");
    }
}
