package io.spillway.broker.diagnose;

import static io.spillway.broker.diagnose.SampleFacts.member;
import static org.assertj.core.api.Assertions.assertThat;

import io.spillway.broker.diagnose.GroupFacts.Pause;
import io.spillway.broker.diagnose.GroupFacts.Seen;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

/** What comes first when there are several reasons; that each is named in a real group is told elsewhere. */
final class GroupDecisionTest {
    private final SampleFacts facts = new SampleFacts();

    @Test
    void recordsAndAConsumerThatCanTakeThemAreDelivered() {
        assertThat(facts.diagnosis().cause()).isEqualTo(Cause.DELIVERING);
        assertThat(facts.diagnosis().next()).isEmpty();
    }

    @Test
    void whatIsDeliverableForLongAndStaysIsTheBrokersFault() {
        facts.seen = new Seen(Cause.DELIVERING, 0, GroupDecision.STALLED_MS - 1);
        assertThat(facts.cause()).isEqualTo(Cause.DELIVERING);

        facts.seen = new Seen(Cause.DELIVERING, 0, GroupDecision.STALLED_MS);
        assertThat(facts.cause()).isEqualTo(Cause.STALLED);
        assertThat(facts.diagnosis().why()).contains("for 10 s none was delivered (limit 10 s)");
    }

    @Test
    void aPauseComesBeforeAllElse() {
        facts.members.clear();
        facts.pause = new Pause("DLQ_BREAKER: 5 of 5", 7);
        assertThat(facts.cause()).isEqualTo(Cause.DLQ_BREAKER);
        facts.pause = new Pause("maintenance", 7);
        assertThat(facts.cause()).isEqualTo(Cause.GROUP_PAUSED);
        assertThat(facts.diagnosis().sinceMs()).isEqualTo(7);
        facts.dispatchPause = new Pause("the topic", 8);
        assertThat(facts.cause()).isEqualTo(Cause.DISPATCH_PAUSED);
        assertThat(facts.diagnosis().sinceMs()).isEqualTo(8);
        facts.backlog = 0;
        assertThat(facts.cause()).as("also when nothing waits").isEqualTo(Cause.DISPATCH_PAUSED);
    }

    @Test
    void withoutRecordsNobodyIsMissed() {
        facts.members.clear();
        facts.backlog = 0;
        assertThat(facts.cause()).isEqualTo(Cause.CAUGHT_UP);
        facts.hidden = 1;
        assertThat(facts.cause()).isEqualTo(Cause.NOT_DURABLE);
    }

    @Test
    void aReplayWithoutRecordsIsNotHeld() {
        facts.isReplayHeld = true;
        assertThat(facts.cause()).isEqualTo(Cause.REPLAY_HOLD);
        facts.backlog = 0;
        assertThat(facts.cause()).isEqualTo(Cause.CAUGHT_UP);
    }

    @Test
    void whatCannotBeReadComesBeforeWhatWaitsForATime() {
        facts.isReady = false;
        facts.scheduled = 1;
        assertThat(facts.cause()).isEqualTo(Cause.SCHEDULED);
        facts.waitingRetry = 1;
        assertThat(facts.cause()).isEqualTo(Cause.IN_BACKOFF);
        facts.unsettled = 1_000;
        facts.backlog = 2_000;
        assertThat(facts.cause()).isEqualTo(Cause.WINDOW_FULL);
        facts.keyBlocked = 1;
        assertThat(facts.cause()).as("behind what failed").isEqualTo(Cause.IN_BACKOFF);
        facts.inFlight = 1;
        assertThat(facts.cause()).isEqualTo(Cause.KEY_BLOCKED);
        facts.deadLettersHeld = "no place";
        assertThat(facts.cause()).isEqualTo(Cause.DLQ_HELD);
        facts.isHalted = true;
        assertThat(facts.cause()).isEqualTo(Cause.UNREADABLE);
    }

    @Test
    void oneConsumerThatCanTakeMoreIsEnough() {
        facts.members = List.of(
                member("sick", true, false, false, 10, 0), member("busy", false, false, false, 0, 10), member("free"));
        assertThat(facts.cause()).isEqualTo(Cause.DELIVERING);
    }

    @Test
    void theReasonOfMostConsumersThatAreWellCounts() {
        MemberFacts sick = member("sick", true, false, false, 10, 0);
        MemberFacts paused = member("paused", false, true, false, 10, 0);
        MemberFacts full = member("full", false, false, false, 10, 10);
        MemberFacts poor = member("poor", false, false, false, 0, 0);
        facts.members = List.of(sick, sick, sick, paused);
        assertThat(facts.cause()).isEqualTo(Cause.MEMBERS_PAUSED);
        facts.members = List.of(full, paused, full, poor);
        assertThat(facts.cause()).isEqualTo(Cause.MEMBERS_FULL);
        assertThat(facts.diagnosis().why())
                .isEqualTo(
                        "3 records wait; full holds 10 records of 10 it may hold; paused has paused itself; full holds 10"
                                + " records of 10 it may hold; poor may be sent 0 batches and 0 bytes more, and holds 0 records");
        facts.members = List.of(sick, sick);
        assertThat(facts.cause()).isEqualTo(Cause.ALL_UNHEALTHY);
    }

    @Test
    void manyConsumersAreNotAllNamed() {
        facts.members = new ArrayList<>();
        for (int i = 0; i < 8; i++) {
            facts.members.add(member("c" + i, false, true, false, 10, 0));
        }
        assertThat(facts.diagnosis().why()).endsWith("c4 has paused itself; and 3 more");
    }

    @Test
    void aGroupThatHoldsWhatItMaySaysWhatThatIs() {
        facts.room = 0;
        facts.maxInFlight = 5;
        assertThat(facts.cause()).isEqualTo(Cause.GROUP_FULL);
        facts.isRated = true;
        assertThat(facts.cause()).isEqualTo(Cause.RATE_USED_UP);
        facts.isHandingOver = true;
        assertThat(facts.cause()).isEqualTo(Cause.HANDING_OVER);
    }

    @Test
    void sinceIsThatOfTheLastLookWhenTheCauseIsTheSame() {
        facts.members.clear();
        facts.seen = new Seen(Cause.NO_MEMBERS, 77, 0);
        assertThat(facts.diagnosis().sinceMs()).isEqualTo(77);
        facts.seen = new Seen(Cause.NO_CREDIT, 77, 0);
        assertThat(facts.diagnosis().sinceMs()).isEqualTo(SampleFacts.NOW_MS);
    }

    @Test
    void whateverTheFactsAreThereIsACauseThatHoldsRecordsOnlyWhenThereAreAny() {
        SplittableRandom random = new SplittableRandom(20261129);
        for (int i = 0; i < 20_000; i++) {
            SampleFacts any = new SampleFacts();
            any.pause = random.nextInt(8) == 0 ? new Pause("x", 1) : null;
            any.isReplayHeld = random.nextInt(8) == 0;
            any.isHandingOver = random.nextInt(8) == 0;
            any.deadLettersHeld = random.nextInt(8) == 0 ? "x" : "";
            any.room = random.nextInt(3);
            any.maxInFlight = random.nextInt(2);
            any.isReady = random.nextBoolean();
            any.backlog = random.nextInt(3);
            any.inFlight = random.nextInt(3);
            any.waitingRetry = random.nextInt(2);
            any.scheduled = random.nextInt(2);
            any.keyBlocked = random.nextInt(2);
            any.hidden = random.nextInt(2);
            any.members = new ArrayList<>();
            for (int members = random.nextInt(3); members > 0; members--) {
                any.members.add(member(
                        "m",
                        random.nextBoolean(),
                        random.nextBoolean(),
                        random.nextBoolean(),
                        random.nextInt(2),
                        random.nextInt(2) * 10));
            }
            Diagnosis found = any.diagnosis();
            assertThat(found.why()).isNotEmpty();
            assertThat(found.next().isEmpty()).isEqualTo(found.cause().area() == Area.WELL);
            boolean isStopped = found.cause() == Cause.GROUP_PAUSED;
            if (any.backlog == 0 && !isStopped) {
                assertThat(found.cause()).isIn(Cause.CAUGHT_UP, Cause.NOT_DURABLE);
            } else if (any.members.isEmpty() && !isStopped) {
                assertThat(found.cause()).isIn(Cause.NO_MEMBERS, Cause.REPLAY_HOLD);
            }
        }
    }

    @Test
    void aConsumersOwnReasonComesBeforeTheGroups() {
        MemberFacts poor = member("poor", false, false, false, 0, 0);
        facts.members = List.of(poor, member("free"));
        assertThat(GroupDecision.of(facts.facts(), poor).cause()).isEqualTo(Cause.NO_CREDIT);
        assertThat(GroupDecision.of(facts.facts(), member("free")).cause()).isEqualTo(Cause.DELIVERING);
        facts.backlog = 0;
        assertThat(GroupDecision.of(facts.facts(), poor).cause()).isEqualTo(Cause.CAUGHT_UP);
        MemberFacts sick = member("sick", true, false, false, 10, 0);
        assertThat(GroupDecision.of(facts.facts(), sick).why()).isEqualTo("sick is CRITICAL: MEMORY");
        facts.pause = new Pause("maintenance", 7);
        facts.backlog = 3;
        assertThat(GroupDecision.of(facts.facts(), poor).cause()).isEqualTo(Cause.GROUP_PAUSED);
    }
}
