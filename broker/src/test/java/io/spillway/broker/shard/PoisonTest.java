package io.spillway.broker.shard;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** A record that nobody can handle is told from a member that can handle nothing. */
@Timeout(60)
class PoisonTest extends OnOrders {
    private static final int LEASE_MS = 60_000;
    private static final Map<String, String> NO_BREAKER = Map.of("dlq.breaker.percent", "0");

    private List<TestMember> join(int members, Map<String, String> settings) {
        return join(members, LEASE_MS, settings);
    }

    private List<TestMember> join(int members, int leaseMs, Map<String, String> settings) {
        List<TestMember> joined = new ArrayList<>();
        for (int i = 0; i < members; i++) {
            joined.add(shard.join("orders", "g", Group.SHARED, leaseMs, settings));
        }
        return joined;
    }

    private List<String> causes() {
        return shard.deadLetters("orders").stream()
                .map(dead -> dead.headers().get("spillway-dlq-cause"))
                .toList();
    }

    private String standing(int member) {
        return shard.group("orders", "g").getMemberList(member).getState();
    }

    /** Nacks what there is; how many records that were. */
    private int nackAll(TestMember member) {
        List<TestMember.Delivered> taken = member.take();
        taken.forEach(record -> shard.settle(member, record, nack("boom")));
        return taken.size();
    }

    /** So that what fails with them next says something of the record. */
    private void acceptOneEach(List<TestMember> members) {
        for (int i = 0; i < 4 * members.size(); i++) {
            shard.publish("orders", "good");
            shard.pass(20);
            for (TestMember member : members) {
                for (TestMember.Delivered record : member.take()) {
                    shard.settle(member, record, record.value().equals("good") ? accept() : nack("boom"));
                }
            }
        }
    }

    @Test
    void aRecordThatFailsWithThreeMembersIsGivenUp() {
        List<TestMember> members = join(3, Map.of());
        publishEach(1);
        int failures = 0;
        for (int i = 0; i < 20 && causes().isEmpty(); i++) {
            for (TestMember member : members) {
                failures += nackAll(member);
            }
            shard.pass(20);
        }

        assertThat(shard.deadLetters("orders"))
                .singleElement()
                .satisfies(dead -> assertThat(dead.headers())
                        .containsEntry("spillway-dlq-cause", "MEMBERS_FAILED")
                        .containsEntry("spillway-dlq-failures", Integer.toString(3))
                        .containsEntry("spillway-dlq-error", "boom"));
        assertThat(failures).as("failures, one with each").isEqualTo(3);
        assertThat(shard.counters.deadLetters("MEMBERS_FAILED").sum()).isEqualTo(1);
    }

    @Test
    void leasesThatRunOutAreFailuresAsWell() {
        join(3, 1_000, Map.of());
        publishEach(1);

        shard.until(
                () -> {
                    shard.pass(1_000);
                    return !causes().isEmpty();
                },
                "a dead letter");

        assertThat(causes()).containsExactly("MEMBERS_FAILED");
        assertThat(List.of(standing(0), standing(1), standing(2))).containsOnly("READY");
    }

    @Test
    void withTheSameMemberItMayFailForEver() {
        List<TestMember> members = join(2, Map.of());
        publishEach(1);
        int failures = 0;
        for (int i = 0; i < 100; i++) {
            failures += nackAll(members.get(0)) + nackAll(members.get(1));
            shard.pass(20);
        }

        assertThat(failures).isGreaterThan(50);
        assertThat(causes()).isEmpty();
        shard.pass(20_000);
        assertThat(standing(0)).as("one record makes nobody sick").isEqualTo("READY");
    }

    @Test
    void whoItFailedWithOutlivesAKillAndARestart() {
        for (int i = 0; i < 3; i++) {
            TestMember member = shard.join("orders", "g", Map.of());
            if (i == 0) {
                shard.publish("orders", "v");
            }
            assertThat(causes()).isEmpty();
            shard.settle(member, only(member), nack("boom"));
            if (i == 0) {
                shard.kill();
            } else if (i == 1) {
                shard.restart();
            }
        }
        shard.step();

        assertThat(causes()).containsExactly("MEMBERS_FAILED");
    }

    @Test
    void theSettingSaysHowManyAndWhetherAtAll() {
        List<TestMember> members = join(5, Map.of("poison.members", "0"));
        publishEach(1);
        int failures = 0;
        while (failures < 12) {
            failures += members.stream().mapToInt(this::nackAll).sum();
            shard.pass(20);
        }
        assertThat(causes()).isEmpty();

        shard.change("orders", "g", new GroupChange.Alter(Map.of("poison.members", "2")));
        acceptOneEach(members);

        assertThat(causes()).containsExactly("MEMBERS_FAILED");
    }

    @Test
    void nothingIsGivenUpWhileMembersFailWithEverything() {
        List<TestMember> members = join(4, NO_BREAKER);
        publishEach(100);
        int failures = 0;
        for (int i = 0; i < 50; i++) {
            for (TestMember member : members) {
                failures += nackAll(member);
            }
            shard.pass(20);
        }

        assertThat(failures).isGreaterThan(1_000);
        assertThat(causes().size()).as("of the first that failed").isLessThanOrEqualTo(10);
    }

    @Test
    void theBadMemberIsEjectedAndTheBadRecordsAreGivenUp() {
        List<TestMember> members = join(4, NO_BREAKER);
        TestMember bad = members.get(3);
        for (int i = 0; i < 300; i++) {
            shard.publish("orders", i % 20 == 7 ? "poison" : "v" + i);
        }
        for (int i = 0; i < 1_000; i++) {
            if (i % 10 == 0 && i < 900) {
                shard.publish("orders", "later");
            }
            for (TestMember member : members) {
                for (TestMember.Delivered record : member.take()) {
                    boolean fails = member == bad || record.value().equals("poison");
                    shard.settle(member, record, fails ? nack("boom") : accept());
                }
            }
            shard.pass(20);
        }

        assertThat(shard.group("orders", "g").getPartitions(0).getBacklog()).isZero();
        assertThat(shard.deadLetters("orders"))
                .hasSize(15)
                .allMatch(dead -> dead.value().equals("poison"))
                .allMatch(dead -> "MEMBERS_FAILED".equals(dead.headers().get("spillway-dlq-cause")));
        assertThat(List.of(standing(0), standing(1), standing(2))).containsOnly("READY");
        assertThat(standing(3)).isIn("EJECTED", "PROBING");
    }
}
