package io.spillway.client;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.spillway.protocol.Code;
import io.spillway.protocol.v1.GroupAdmin;
import io.spillway.protocol.v1.GroupAdminOk;
import io.spillway.protocol.v1.GroupInfo;
import io.spillway.protocol.v1.GroupList;
import io.spillway.protocol.v1.GroupPartition;
import io.spillway.protocol.v1.MemberInfo;
import io.spillway.protocol.v1.TopicAdmin;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
final class GroupAdminTest {
    private final FakeBroker broker = new FakeBroker();
    private SpillwayClient client;
    private Admin admin;

    @BeforeEach
    void connect() {
        broker.on(() -> {
            broker.topics.create("orders", 1);
            broker.topics.groups = GroupList.newBuilder()
                    .addGroups(GroupInfo.newBuilder()
                            .setTopic("orders")
                            .setGroup("g")
                            .setMode(1)
                            .setPaused(true)
                            .setPauseReason("ADMIN: maintenance")
                            .setPausedUnixMs(7)
                            .setMembers(1)
                            .addMemberList(MemberInfo.newBuilder()
                                    .setName("billing")
                                    .setActive(true)
                                    .setInFlight(3)
                                    .setState("DEGRADED")
                                    .setWeightPm(250)
                                    .setWhy("GC")
                                    .setRelieved(true))
                            .putConfig("max.inflight", "9")
                            .setAcked(11)
                            .setDeadLettered(12)
                            .addPartitions(GroupPartition.newBuilder()
                                    .setBacklog(5)
                                    .setScheduled(1)
                                    .setKeyBlocked(2)
                                    .setDropped(4)))
                    .build();
            broker.topics.groupAnswer = GroupAdminOk.newBuilder()
                    .addSnapshots(io.spillway.protocol.v1.GroupSnapshot.newBuilder()
                            .setName("before")
                            .setTakenUnixMs(70)
                            .setReason("a deployment")
                            .addPartitions(
                                    GroupPartition.newBuilder().setCursor(8).setAckedAbove(2)))
                    .build();
            return null;
        });
        client = SpillwayClient.builder().endpoints(broker.endpoint()).connect();
        admin = client.admin();
    }

    @AfterEach
    void close() {
        client.close(Duration.ofSeconds(2));
        broker.close();
    }

    private GroupAdmin asked() {
        List<GroupAdmin> all = broker.on(() -> List.copyOf(broker.topics.groupRequests));
        return all.get(all.size() - 1);
    }

    @Test
    void describesAllThatTheBrokerSaysOfAGroup() {
        GroupDescription group = admin.describeGroup("orders", "g");

        assertThat(group.mode()).isEqualTo(GroupMode.KEY_ORDERED);
        assertThat(group.config()).isEqualTo(Map.of("max.inflight", "9"));
        assertThat(group.paused()).isTrue();
        assertThat(group.pauseReason()).isEqualTo("ADMIN: maintenance");
        assertThat(group.pausedMs()).isEqualTo(7);
        assertThat(group.memberList())
                .containsExactly(new GroupDescription.Member("billing", true, 3, false, "DEGRADED", 250, "GC", true));
        assertThat(group.acked()).isEqualTo(11);
        assertThat(group.deadLettered()).isEqualTo(12);
        assertThat(group.partitions()).containsExactly(new GroupDescription.Partition(0, 0, 0, 0, 0, 0, 5, 1, 2, 4));
    }

    @Test
    void createsAGroup() {
        admin.createGroup(
                "orders", "g", GroupMode.EXCLUSIVE, StartPosition.latest(), Map.of("retry.backoff.ms", "100"));

        assertThat(asked().getOp()).isEqualTo(4);
        assertThat(asked().getMode()).isEqualTo(2);
        assertThat(asked().getStart().getKind()).isEqualTo(StartPosition.LATEST);
        assertThat(asked().getArgsMap()).isEqualTo(Map.of("retry.backoff.ms", "100"));
        assertThat(asked().getIdempotencyKey()).isNotEmpty();
    }

    @Test
    void altersAGroupAtARevision() {
        admin.alterGroup("orders", "g", Map.of("filter", "has(a)"), 17);

        assertThat(asked().getOp()).isEqualTo(5);
        assertThat(asked().getArgsMap()).isEqualTo(Map.of("filter", "has(a)"));
        assertThat(asked().getExpectRevision()).isEqualTo(17);
    }

    @Test
    void pausesAndResumesWithAReason() {
        assertThat(admin.pauseGroup("orders", "g", "maintenance").paused()).isTrue();
        assertThat(asked().getOp()).isEqualTo(6);
        assertThat(asked().getReason()).isEqualTo("maintenance");

        admin.resumeGroup("orders", "g", "done");
        assertThat(asked().getOp()).isEqualTo(7);
        assertThatThrownBy(() -> admin.pauseGroup("orders", "g", " "))
                .matches(thrown -> thrown instanceof SpillwayException known && known.is(Code.INVALID_ARGUMENT));
    }

    @Test
    void takesRestoresListsAndDeletesSnapshots() {
        GroupSnapshot taken = admin.snapshotGroup("orders", "g", "before", "a deployment");
        assertThat(asked().getOp()).isEqualTo(8);
        assertThat(asked().getSnapshot()).isEqualTo("before");
        assertThat(taken.takenMs()).isEqualTo(70);
        assertThat(taken.reason()).isEqualTo("a deployment");
        assertThat(taken.partitions().get(0).cursor()).isEqualTo(8);
        assertThat(taken.partitions().get(0).ackedAbove()).isEqualTo(2);

        assertThat(admin.restoreGroup("orders", "g", "before", "it went wrong").group())
                .isEqualTo("g");
        assertThat(asked().getOp()).isEqualTo(9);
        assertThat(admin.groupSnapshots("orders", "g")).containsExactly(taken);
        admin.deleteGroupSnapshot("orders", "g", "before");
        assertThat(asked().getOp()).isEqualTo(11);
        assertThat(asked().getSnapshot()).isEqualTo("before");
    }

    @Test
    void purgesATopicUpToAPlace() {
        admin.purgeTopic("orders", StartPosition.offset(0, 4), "personal data");

        TopicAdmin purge = broker.on(() -> broker.topics.topicRequests.get(0));
        assertThat(purge.getOp()).isEqualTo(4);
        assertThat(purge.getBefore().getOffset()).isEqualTo(4);
        assertThat(purge.getReason()).isEqualTo("personal data");
    }
}
