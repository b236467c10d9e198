package io.spillway.broker.shard;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.ByteBuf;
import io.spillway.broker.diagnose.Cause;
import io.spillway.broker.diagnose.Diagnosis;
import io.spillway.broker.diagnose.GroupDecision;
import io.spillway.broker.diagnose.GroupFacts;
import io.spillway.broker.diagnose.MemberFacts;
import io.spillway.broker.dispatch.HealthReport;
import io.spillway.broker.dispatch.HealthState;
import io.spillway.protocol.v1.AckItem;
import io.spillway.protocol.v1.Deliver;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Each cause that lies with the consumers of a group, brought about in a shard and named. */
@Timeout(60)
class MemberCausesTest extends OnCauses {
    /** A consumer whose connection takes nothing. */
    private static final class Stuck extends QuietMember {
        @Override
        public boolean writable() {
            return false;
        }

        @Override
        public void deliver(Deliver header, ByteBuf payload) {
            throw new AssertionError("its connection takes nothing");
        }
    }

    @Test
    void nothingIsLeft() {
        TestMember member = ready(Group.SHARED);
        named(Cause.CAUGHT_UP);

        shard.publish(TOPIC, "a");
        shard.until(() -> member.received.size() == 1, "the record");
        assertThat(named(Cause.IN_FLIGHT).why()).isEqualTo("1 of 1 records are with consumers");

        shard.settle(member, member.received.get(0), AckItem.newBuilder());
        named(Cause.CAUGHT_UP);
    }

    @Test
    void whatWaitsIsOnItsWay() {
        TestMember member = join(new TestMember(), Group.SHARED, 0, Map.of());
        for (int i = 0; i < 40; i++) {
            shard.publish(TOPIC, "x".repeat(200_000));
        }
        shard.mailbox().offer(new ShardCommand.Grant(member, MUCH, MUCH, false));
        shard.step();

        Diagnosis found = GroupDecision.of(group()); // in between two turns
        assertThat(found.cause()).isEqualTo(Cause.DELIVERING);
        assertThat(found.why()).endsWith(" records wait, and consumers take them");
        shard.until(() -> member.received.size() == 40, "all of them");
        named(Cause.IN_FLIGHT);
    }

    @Test
    void nobodyIsThere() {
        shard.leave(ready(Group.SHARED));
        shard.publish(TOPIC, "a", "b");

        Diagnosis found = named(Cause.NO_MEMBERS);

        assertThat(found.why()).isEqualTo("2 records wait, and 0 consumers are there");
        assertThat(found.next()).contains("start a consumer", "spillway group delete orders billing");
        counts(Cause.NO_MEMBERS);
        assertThat(GroupDecision.of(group()).sinceMs()).isLessThanOrEqualTo(shard.clock.nowMs() - 3_000);
    }

    @Test
    void nobodyHasAskedForMore() {
        join(new TestMember(), Group.SHARED, 0, Map.of());
        shard.publish(TOPIC, "a");

        assertThat(named(Cause.NO_CREDIT).why())
                .isEqualTo("1 record waits; worker1 may be sent 0 batches and 0 bytes more, and holds 0 records");
        counts(Cause.NO_CREDIT);
    }

    @Test
    void creditThatIsUsedUpIsNamedAsWell() {
        TestMember member = join(new TestMember(), Group.SHARED, 0, Map.of());
        shard.mailbox().offer(new ShardCommand.Grant(member, 1, MUCH, false));
        shard.publish(TOPIC, "a");
        shard.publish(TOPIC, "b");
        shard.until(() -> member.received.size() == 1, "the first record");

        assertThat(named(Cause.NO_CREDIT).why()).contains("worker1 may be sent 0 batches", "holds 1 records");
    }

    @Test
    void allHoldWhatTheyMay() {
        ready(new TestMember(), Group.SHARED, 1, Map.of());
        shard.publish(TOPIC, "a");
        shard.publish(TOPIC, "b");

        assertThat(named(Cause.MEMBERS_FULL).why())
                .isEqualTo("2 records wait; worker1 holds 1 records of 1 it may hold");
        counts(Cause.MEMBERS_FULL);
    }

    @Test
    void allHavePausedThemselves() {
        TestMember member = join(new TestMember(), Group.SHARED, 0, Map.of());
        shard.mailbox().offer(new ShardCommand.Grant(member, MUCH, MUCH, true));
        shard.publish(TOPIC, "a");

        assertThat(named(Cause.MEMBERS_PAUSED).why()).contains("worker1 has paused itself");
        counts(Cause.MEMBERS_PAUSED);
    }

    @Test
    void allDoNotReadTheirConnections() {
        ready(new Stuck(), Group.SHARED, 0, Map.of());
        shard.publish(TOPIC, "a");

        assertThat(named(Cause.CONNECTION_FULL).why()).contains("worker1 has not read what was sent to it");
        counts(Cause.CONNECTION_FULL);
    }

    private void say(SubscriberPort member, HealthState state) {
        shard.mailbox()
                .offer(new ShardCommand.Health(member, new HealthReport(state, "MEMORY", 0, 0, 0, false, 1_000)));
        shard.step();
    }

    @Test
    void allAreUnwell() {
        say(ready(Group.SHARED), HealthState.CRITICAL);
        shard.publish(TOPIC, "a");

        assertThat(named(Cause.ALL_UNHEALTHY).why()).isEqualTo("1 record waits; worker1 is CRITICAL: MEMORY");
        counts(Cause.ALL_UNHEALTHY);
    }

    @Test
    void theTurnIsHandedOver() {
        TestMember first = ready(Group.EXCLUSIVE);
        ready(Group.EXCLUSIVE);
        shard.publish(TOPIC, "a");
        shard.until(() -> first.received.size() == 1, "the first record");
        say(first, HealthState.CRITICAL);
        shard.publish(TOPIC, "b");

        assertThat(named(Cause.HANDING_OVER).why()).isEqualTo("1 records are still with the consumer before");
    }

    @Test
    void whoStandsByIsToldSo() {
        ready(Group.EXCLUSIVE);
        ready(Group.EXCLUSIVE);
        shard.publish(TOPIC, "a");
        shard.pass(100);

        GroupFacts group = group();
        assertThat(group.members()).hasSize(2);
        List<MemberFacts> members = group.members();
        MemberFacts standby = members.get(0).isActive() ? members.get(1) : members.get(0);
        assertThat(GroupDecision.of(group, standby).cause()).isEqualTo(Cause.STANDS_BY);
    }

    @Test
    void theGroupHoldsWhatItMay() {
        ready(new TestMember(), Group.SHARED, 0, Map.of("max.inflight", "1"));
        shard.publish(TOPIC, "a");
        shard.publish(TOPIC, "b");

        assertThat(named(Cause.GROUP_FULL).why())
                .isEqualTo("2 records wait, and 1 are with consumers of 1 that max.inflight allows");
        counts(Cause.GROUP_FULL);
    }
}
