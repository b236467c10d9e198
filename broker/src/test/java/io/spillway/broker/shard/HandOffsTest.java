package io.spillway.broker.shard;

import static org.assertj.core.api.Assertions.assertThat;

import io.spillway.broker.dispatch.HealthReport;
import io.spillway.broker.dispatch.HealthState;
import io.spillway.protocol.KeyHash;
import io.spillway.protocol.RecordParts;
import io.spillway.protocol.v1.AckItem;
import io.spillway.protocol.v1.GroupInfo;
import io.spillway.protocol.v1.MemberInfo;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Who gets the records when a member says that it is not well. */
@Timeout(60)
class HandOffsTest {
    private static final int LEASE_MS = 60_000;

    private ShardFixture shard;

    @BeforeEach
    void open(@TempDir Path directory) {
        shard = new ShardFixture(directory.resolve("shard"));
        shard.createTopic("orders", Map.of());
    }

    @AfterEach
    void close() {
        shard.close();
    }

    @Test
    void aCriticalMemberOfASharedGroupGetsNothingMore() {
        TestMember sick = join(Group.SHARED);
        TestMember well = join(Group.SHARED);

        say(sick, HealthState.CRITICAL);
        publishEach(20);

        assertThat(sick.received).isEmpty();
        assertThat(well.received).hasSize(20);
        assertThat(described(0))
                .extracting(MemberInfo::getState, MemberInfo::getWeightPm, MemberInfo::getWhy)
                .containsExactly("CRITICAL", 0, "MEMORY");
    }

    @Test
    void theStandbyTakesOverOnceTheActiveMemberHoldsNothing() {
        TestMember active = join(Group.EXCLUSIVE);
        TestMember standby = join(Group.EXCLUSIVE);
        publishEach(1);

        say(active, HealthState.CRITICAL);
        publishEach(1);
        assertThat(active.relieved).containsExactly("0 slots, 5000 ms");
        assertThat(standby.received).as("while the other one holds a record").isEmpty();
        shard.settle(active, active.received.get(0), AckItem.newBuilder());
        shard.pass(50);

        assertThat(standby.active).isTrue();
        assertThat(active.active).isFalse();
        assertThat(offsets(standby)).containsExactly(1L);
        assertThat(active.received).hasSize(1);
    }

    @Test
    void theStandbyTakesOverWhatWasHeldAfterFiveSeconds() {
        TestMember active = join(Group.EXCLUSIVE);
        TestMember standby = join(Group.EXCLUSIVE);
        publishEach(1);

        say(active, HealthState.DRAINING);
        shard.pass(5_100);

        assertThat(active.relieved).containsExactly("0 slots, 5000 ms", "0 slots, 0 ms");
        assertThat(offsets(standby)).containsExactly(0L);
        assertThat(shard.settle(active, active.received.get(0), AckItem.newBuilder()))
                .as("a late ack is refused")
                .hasSize(1);
    }

    @Test
    void keysGoToOthersInTheirOrder() {
        TestMember sick = join(Group.KEY_ORDERED);
        TestMember well = join(Group.KEY_ORDERED);
        for (int i = 0; i < 40; i++) {
            shard.publish("orders", List.of(record("k" + i % 20)));
        }
        shard.pass(20);
        int had = sick.received.size();
        assertThat(had).isPositive();

        say(sick, HealthState.CRITICAL);
        shard.pass(50);
        assertThat(well.received.size())
                .as("keys that are held stay where they are")
                .isEqualTo(20 - had);
        TestMember.Delivered first = sick.received.get(0);
        shard.settle(sick, first, AckItem.newBuilder());
        shard.pass(50);

        assertThat(well.received).last().satisfies(next -> {
            assertThat(next.key()).isEqualTo(first.key());
            assertThat(next.offset()).isGreaterThan(first.offset());
        });
        assertThat(sick.received).hasSize(had);
    }

    @Test
    void aMemberGetsItsKeysBackStepByStepOnceItIsWell() {
        TestMember sick = join(Group.KEY_ORDERED);
        join(Group.KEY_ORDERED);
        say(sick, HealthState.CRITICAL);
        Group group = shard.state().groups.values().iterator().next();
        long id = group.ports.keySet().stream().min(Long::compare).orElseThrow();
        assertThat(group.slots.of(id)).isEmpty();

        List<Integer> slots = new ArrayList<>();
        for (int second = 0; second < 85; second++) {
            say(sick, HealthState.READY);
            shard.pass(1_000);
            int now = group.slots.of(id).size();
            if (slots.isEmpty() || slots.get(slots.size() - 1) != now) {
                slots.add(now);
            }
        }

        assertThat(slots).containsExactly(0, 102, 204, 306, 408, 510, 512);
    }

    @Test
    void nobodyIsRelievedWhereNobodyElseIsWell() {
        TestMember one = join(Group.KEY_ORDERED);
        TestMember other = join(Group.KEY_ORDERED);
        say(one, HealthState.CRITICAL);

        say(other, HealthState.CRITICAL);
        shard.pass(6_000);

        assertThat(one.relieved).isNotEmpty();
        assertThat(other.relieved).isEmpty();
    }

    @Test
    void whoIsLeftAloneGoesOn() {
        TestMember sick = join(Group.EXCLUSIVE);
        TestMember well = join(Group.EXCLUSIVE);
        say(sick, HealthState.CRITICAL);
        shard.pass(50);
        assertThat(well.active).isTrue();

        shard.leave(well);
        for (int i = 0; i < 3; i++) {
            say(sick, HealthState.READY);
        }
        publishEach(1);

        assertThat(sick.active).isTrue();
        assertThat(sick.received).hasSize(1);
    }

    private static RecordParts record(String key) {
        byte[] bytes = key.getBytes(StandardCharsets.UTF_8);
        return new RecordParts(0, bytes, KeyHash.of(bytes), List.of(), bytes, null, null, -1, -1);
    }

    private TestMember join(int mode) {
        TestMember member = shard.join("orders", "g", mode, LEASE_MS, Map.of());
        shard.pass(20);
        return member;
    }

    private void say(TestMember member, HealthState state) {
        String why = state == HealthState.READY ? "" : "MEMORY";
        shard.mailbox().offer(new ShardCommand.Health(member, new HealthReport(state, why, 0, 0, 0, false, 1_000)));
        shard.pass(20);
    }

    private void publishEach(int records) {
        for (int i = 0; i < records; i++) {
            shard.publish("orders", "v");
        }
        shard.pass(50);
    }

    private static List<Long> offsets(TestMember member) {
        return member.received.stream().map(TestMember.Delivered::offset).toList();
    }

    private MemberInfo described(int member) {
        GroupInfo info = shard.group("orders", "g");
        return info.getMemberList(member);
    }
}
