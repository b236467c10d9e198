package io.spillway.broker.dispatch;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.junit.jupiter.api.Test;

class HealthWatchTest {
    private final List<String> changes = new ArrayList<>();
    private final ConsumerSet members =
            new ConsumerSet((member, what, why, next) -> changes.add(member.id() + " " + what + ": " + why));
    private long nowMs = 1_000_000;
    private long fence;

    @Test
    void aMemberThatIsCriticalGetsNothingAfterOneReport() {
        join(2);

        report(1, HealthState.CRITICAL);

        assertThat(shares(100)).doesNotContainKey(1L);
        assertThat(changes).containsExactly("1 READY to CRITICAL: MEMORY");
    }

    @Test
    void aMemberIsBetterOnlyAfterThreeReportsAndThenStartsSlowly() {
        join(2);
        settle(40);
        report(1, HealthState.CRITICAL);
        report(1, HealthState.READY);
        report(1, HealthState.READY);
        assertThat(shares(100)).doesNotContainKey(1L);

        report(1, HealthState.READY);
        Map<Long, Integer> early = shares(1_100);
        settle(31);

        assertThat(early.get(1L)).as("of 1,100").isBetween(80, 120);
        assertThat(shares(1_000).get(1L)).as("of 1,000").isBetween(450, 550);
    }

    @Test
    void aDegradedMemberGetsAQuarterOfWhatOthersGet() {
        join(2);
        report(1, HealthState.READY);
        settle(40);

        report(1, HealthState.DEGRADED);

        assertThat(shares(1_000).get(1L)).isBetween(180, 220);
    }

    @Test
    void theShareOfADegradedMemberThatIsWellGrowsFromAQuarter() {
        join(2);
        report(1, HealthState.READY);
        settle(40);
        report(1, HealthState.DEGRADED);
        for (int i = 0; i < 3; i++) {
            report(1, HealthState.READY);
        }

        assertThat(member(1).health().state()).isEqualTo(HealthState.READY);
        assertThat(member(1).health().weight()).isBetween(240L, 300L);
        settle(10);
        assertThat(member(1).health().weight()).isBetween(500L, 650L);
        settle(15);
        assertThat(member(1).health().weight()).isEqualTo(1_000);
    }

    @Test
    void whatAMemberSaidIsForgottenAfterFifteenSeconds() {
        join(2);
        report(1, HealthState.CRITICAL);

        settle(16);

        assertThat(member(1).health().state()).isEqualTo(HealthState.READY);
        assertThat(changes).last().asString().contains("has not reported for 15 s");
    }

    @Test
    void aMemberThatDrainsDoesSoUntilItSaysOtherwise() {
        join(2);
        report(1, HealthState.DRAINING);

        settle(60);

        assertThat(shares(100)).doesNotContainKey(1L);
    }

    @Test
    void whoDoesMoreWithLessGetsMore() {
        join(2);
        for (int i = 0; i < 40; i++) {
            load(1, 100_000, 500);
            load(2, 100_000, 250);
            settle(1);
        }

        assertThat(shares(3_000).get(2L)).isBetween(1_900, 2_100);
    }

    @Test
    void aMemberInAnotherZoneGetsHalf() {
        join(2);
        for (int i = 0; i < 40; i++) {
            members.report(member(1), new HealthReport(HealthState.READY, "", 0, 0, 0, false, 500), nowMs);
            settle(1);
        }

        assertThat(shares(3_000).get(1L)).isBetween(900, 1_100);
    }

    @Test
    void whoseLeasesRunOutIsEjectedAndComesBackByProbation() {
        join(2);
        expire(1, 3);
        settle(1);
        assertThat(shares(100)).doesNotContainKey(1L);

        settle(11);
        assertThat(member(1).room()).as("on probation").isEqualTo(1);
        for (int i = 0; i < 3; i++) {
            member(1).health().outcomes().accepted(1);
        }
        settle(1);

        assertThat(changes)
                .containsExactly(
                        "1 READY to EJECTED: 3 leases in a row ran out",
                        "1 EJECTED to PROBING: its time is over",
                        "1 PROBING to READY: it accepted 3 records");
        assertThat(shares(1_100).get(1L)).isBetween(80, 120);
    }

    @Test
    void whoFailsOnProbationIsEjectedForLonger() {
        join(2);
        expire(1, 3);
        settle(12);

        member(1).health().outcomes().failed(1, true);
        settle(1);

        assertThat(changes).last().isEqualTo("1 PROBING to EJECTED: a record on probation failed");
        settle(15);
        assertThat(member(1).health().outcomes().isOut()).isTrue();
    }

    @Test
    void aRecordThatFailedBeforeDoesNotEndAProbation() {
        join(2);
        expire(1, 3);
        settle(12);

        member(1).health().outcomes().failed(1, false);
        settle(1);

        assertThat(member(1).health().outcomes().isProbing()).isTrue();
    }

    @Test
    void whoFailsHalfOfItsRecordsIsEjected() {
        join(3);
        settle(1);
        member(2).health().outcomes().accepted(10);
        member(2).health().outcomes().failed(10, true);

        settle(11);

        assertThat(changes).containsExactly("2 READY to EJECTED: 10 of 20 records failed");
    }

    @Test
    void halfOfTheMembersStay() {
        join(3);

        expire(1, 3);
        expire(2, 3);
        expire(3, 3);
        settle(1);

        assertThat(changes).hasSize(1);
        assertThat(shares(100)).hasSize(2);
    }

    @Test
    void nobodyIsEjectedWhereThereIsOnlyOne() {
        join(1);

        expire(1, 5);
        settle(1);

        assertThat(shares(10)).containsKey(1L);
    }

    @Test
    void ejectionsAreIgnoredWhenLessThanHalfAreLeftButNotWhatMembersSay() {
        join(4);
        expire(1, 3);
        expire(2, 3);
        settle(1);
        assertThat(shares(100)).containsOnlyKeys(3L, 4L);

        report(3, HealthState.CRITICAL);

        assertThat(shares(1_000)).containsOnlyKeys(1L, 2L, 4L);
    }

    @Test
    void whoSucceedsMuchLessThanTheOthersIsEjected() {
        join(6);
        settle(1);
        for (long id = 1; id <= 6; id++) {
            member(id).health().outcomes().accepted(id == 4 ? 140 : 200);
            member(id).health().outcomes().failed(id == 4 ? 60 : 1, true);
        }

        settle(11);

        assertThat(changes).hasSize(1);
        assertThat(changes.get(0)).startsWith("4 READY to EJECTED: 700 of 1000 records succeed");
    }

    private void join(int count) {
        for (long id = 1; id <= count; id++) {
            members.add(id, 1_000_000).grant(1_000_000, 1L << 40);
        }
    }

    private Member member(long id) {
        for (int i = 0; i < members.size(); i++) {
            if (members.get(i).id() == id) {
                return members.get(i);
            }
        }
        throw new AssertionError("no member " + id);
    }

    private void report(long id, HealthState state) {
        members.report(member(id), new HealthReport(state, "MEMORY", 0, 0, 0, false, 1_000), nowMs);
    }

    private void load(long id, long rpsMilli, int utilPm) {
        members.report(member(id), new HealthReport(HealthState.READY, "", utilPm, rpsMilli, 0, false, 1_000), nowMs);
    }

    private void expire(long id, int times) {
        for (int i = 0; i < times; i++) {
            member(id).health().outcomes().failed(1, true);
            member(id).health().outcomes().expired(++fence);
        }
    }

    private void settle(int seconds) {
        for (int i = 0; i < seconds; i++) {
            nowMs += 1_000;
            members.tick(nowMs);
        }
    }

    /** How many of so many batches each member gets, when all are quick. */
    private Map<Long, Integer> shares(int batches) {
        Map<Long, Integer> shares = new HashMap<>();
        for (int i = 0; i < batches; i++) {
            Member member = Objects.requireNonNull(members.choose());
            member.delivered(1, 1_000);
            member.settled(1);
            shares.merge(member.id(), 1, Integer::sum);
        }
        return shares;
    }
}
