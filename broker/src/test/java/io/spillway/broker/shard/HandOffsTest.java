package io.spillway.broker.shard;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.spillway.broker.dispatch.HealthReport;
import io.spillway.broker.dispatch.HealthState;
import io.spillway.broker.toggles.KnownToggles;
import io.spillway.broker.toggles.Toggle;
import io.spillway.broker.toggles.ToggleScope;
import io.spillway.broker.toggles.ToggleSetting;
import io.spillway.protocol.KeyHash;
import io.spillway.protocol.RecordParts;
import io.spillway.protocol.v1.GroupInfo;
import io.spillway.protocol.v1.MemberInfo;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Who gets the records when a member says that it is not well. */
@Timeout(60)
class HandOffsTest extends OnOrders {
    private static final int LEASE_MS = 60_000;

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
    void whereWeightsAreToggledOffMembersHaveTheirTurnsWhateverTheySay() {
        TestMember sick = join(Group.SHARED);
        TestMember well = join(Group.SHARED);
        say(sick, HealthState.DEGRADED);
        publishEach(40);
        assertThat(sick.received.size()).as("a quarter of a share").isLessThan(well.received.size() / 2);

        ToggleSetting off = new ToggleSetting("off", 10_000, ToggleScope.ALL, 0);
        ToggleChange change = ToggleChange.set(
                KnownToggles.DISPATCH_WEIGHTED, null, off, ToggleChange.ANY, new Toggle.Why("test", "because", ""));
        shard.ask((Reply<ToggleChange.Done> reply) -> new ShardCommand.ChangeToggle(change, reply));
        shard.pass(20);
        int before = sick.received.size();
        publishEach(40);
        assertThat(sick.received.size() - before).as("its turn each time").isEqualTo(20);
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
        shard.settle(active, active.received.get(0), accept());
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
        assertThat(shard.settle(active, active.received.get(0), accept()))
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
        shard.settle(sick, first, accept());
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

    @Test
    void whoWaitsForItsTurnGoesOnAtOnceWhenNobodyElseCan() {
        TestMember first = join(Group.EXCLUSIVE);
        TestMember second = join(Group.EXCLUSIVE);
        say(first, HealthState.CRITICAL);
        assertThat(second.active).isTrue();
        for (int i = 0; i < 3; i++) {
            say(first, HealthState.READY);
        }
        publishEach(1);
        assertThat(first.received).as("before its 30 s are over").isEmpty();
        shard.settle(second, only(second), accept());

        say(second, HealthState.CRITICAL);
        publishEach(2);

        assertThat(first.active).isTrue();
        assertThat(second.active).isFalse();
        assertThat(first.received).hasSize(2);
    }

    @Test
    void whoIsDegradedTakesOverFromOneThatCanTakeNothing() {
        TestMember first = join(Group.EXCLUSIVE);
        TestMember second = join(Group.EXCLUSIVE);
        say(second, HealthState.DEGRADED);
        shard.pass(11_000);
        say(second, HealthState.DEGRADED);

        say(first, HealthState.CRITICAL);
        publishEach(1);

        assertThat(second.received).hasSize(1);
    }

    @Test
    void keysGoBackAtOnceWhenTheirNewOwnerCanTakeNothing() {
        TestMember first = join(Group.KEY_ORDERED);
        TestMember second = join(Group.KEY_ORDERED);
        say(first, HealthState.CRITICAL);
        for (int i = 0; i < 3; i++) {
            say(first, HealthState.READY);
        }
        assertThat(slotsOf(1)).isZero();

        say(second, HealthState.CRITICAL);
        publishEach(5);

        assertThat(slotsOf(1)).isEqualTo(1024);
        assertThat(first.received).hasSize(5);
    }

    @Test
    void whoStandsByHasTheKeysOfOneThatIsRelievedUntilItIsBack() {
        TestMember one = join(Group.KEY_ORDERED);
        join(Group.KEY_ORDERED);
        TestMember standby = standBy(Group.KEY_ORDERED);
        assertThat(standby.active).isFalse();
        assertThat(List.of(slotsOf(1), slotsOf(2), slotsOf(3))).containsExactly(512, 512, 0);

        say(one, HealthState.CRITICAL);
        assertThat(standby.active).isTrue();
        assertThat(List.of(slotsOf(1), slotsOf(2), slotsOf(3))).containsExactly(0, 512, 512);

        for (int second = 0; second < 100; second++) {
            say(one, HealthState.READY);
            shard.pass(1_000);
        }
        assertThat(standby.active).isFalse();
        assertThat(List.of(slotsOf(1), slotsOf(2), slotsOf(3))).containsExactly(512, 512, 0);
    }

    @Test
    void whoStandsByAndWasNotWellIsToldWhenNobodyElseCan() {
        TestMember one = join(Group.KEY_ORDERED);
        TestMember standby = standBy(Group.KEY_ORDERED);
        say(standby, HealthState.CRITICAL);
        for (int i = 0; i < 3; i++) {
            say(standby, HealthState.READY);
        }

        say(one, HealthState.CRITICAL);
        publishEach(2);

        assertThat(standby.active).isTrue();
        assertThat(standby.received).hasSize(2);
    }

    @Test
    void whoStandsByTakesThePlaceOfOneThatIsGoneUntilAnotherComes() {
        TestMember one = join(Group.KEY_ORDERED);
        join(Group.KEY_ORDERED);
        TestMember standby = standBy(Group.KEY_ORDERED);

        shard.disconnect(one);
        assertThat(standby.active).isTrue();
        assertThat(List.of(slotsOf(2), slotsOf(3))).containsExactly(512, 512);

        join(Group.KEY_ORDERED);
        say(standby, HealthState.READY);
        shard.pass(20);
        assertThat(standby.active).isFalse();
        assertThat(List.of(slotsOf(2), slotsOf(3), slotsOf(4))).containsExactly(512, 0, 512);
    }

    @Test
    void whoStandsByAloneHasEverything() {
        TestMember standby = standBy(Group.KEY_ORDERED);

        publishEach(3);

        assertThat(standby.active).isTrue();
        assertThat(standby.received).hasSize(3);
    }

    @Test
    void whoStandsByComesBehindThoseThatDoNot() {
        TestMember active = join(Group.EXCLUSIVE);
        TestMember standby = standBy(Group.EXCLUSIVE);
        TestMember later = join(Group.EXCLUSIVE);

        shard.disconnect(active);
        assertThat(later.active).isTrue();
        shard.disconnect(later);
        assertThat(standby.active).isTrue();
    }

    @Test
    void nobodyStandsByInASharedGroup() {
        assertThatThrownBy(() -> standBy(Group.SHARED)).hasMessageContaining("stand by");
    }

    private int slotsOf(long member) {
        return shard.state().groups.values().iterator().next().slots.of(member).size();
    }

    private TestMember standBy(int mode) {
        TestMember member = shard.standBy("orders", "g", mode, LEASE_MS);
        shard.pass(20);
        return member;
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

    private static List<Long> offsets(TestMember member) {
        return member.received.stream().map(TestMember.Delivered::offset).toList();
    }

    private MemberInfo described(int member) {
        GroupInfo info = shard.group("orders", "g");
        return info.getMemberList(member);
    }
}
