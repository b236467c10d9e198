package io.spillway.broker.subscription;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.spillway.broker.subscription.SubscriptionState.Outcome;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

class SubscriptionStateTest {
    private final Transcript group = new Transcript(1000, 20);

    @Test
    void movesTheCursorOverWhatIsSettledInAnyOrder() {
        group.plays("""
                deliver m1 10 until 50         -> lease 1: 0..10 attempt 1 failures 0
                accept 1 4..6                  -> ok
                accept 1 9..10                 -> ok
                state                          -> cursor 0, settled above 3, in flight 7, retry 0, timer 50
                accept 1 0..4                  -> ok
                state                          -> cursor 6, settled above 1, in flight 3, retry 0, timer 50
                accept 1 6..9                  -> ok
                state                          -> cursor 10, settled above 0, in flight 0, retry 0, timer none
                """);
    }

    @Test
    void redeliversANackWhenItIsDueAndBeforeFreshRecords() {
        group.plays("""
                deliver m1 10 until 900        -> lease 1: 0..10 attempt 1 failures 0
                nack 1 3..5 due 200            -> ok
                state                          -> cursor 0, settled above 0, in flight 8, retry 2, timer 200
                at 199
                deliver m2 5 until 900         -> lease 2: 10..15 attempt 1 failures 0
                at 200
                deliver m2 5 until 900         -> lease 3: 3..5 attempt 2 failures 1
                deliver m2 9 until 900         -> lease 4: 15..20 attempt 1 failures 0
                deliver m2 9 until 900         -> nothing
                nack 3 4..5 due 300            -> ok
                at 300
                deliver m1 5 until 900         -> lease 5: 4..5 attempt 3 failures 2
                """);
    }

    @Test
    void redeliversWhatIsDueOldestFirst() {
        group.plays("""
                deliver m1 20 until 900        -> lease 1: 0..20 attempt 1 failures 0
                nack 1 8..9 due 100            -> ok
                nack 1 2..3 due 150            -> ok
                nack 1 5..6 due 120            -> ok
                at 150
                deliver m1 5 until 900         -> lease 2: 2..3 attempt 2 failures 1
                deliver m1 5 until 900         -> lease 3: 5..6 attempt 2 failures 1
                deliver m1 5 until 900         -> lease 4: 8..9 attempt 2 failures 1
                deliver m1 5 until 900         -> nothing
                """);
    }

    @Test
    void redeliversWhenALeaseExpires() {
        group.plays("""
                deliver m1 10 until 50         -> lease 1: 0..10 attempt 1 failures 0
                accept 1 2..4                  -> ok
                at 49
                expire due 80                  -> nothing
                at 50
                expire due 80                  -> lease 1 of m1 lost 0..2, lease 1 of m1 lost 4..10
                accept 1 0..2                  -> LEASE_LOST
                extend 1 until 90              -> LEASE_LOST
                state                          -> cursor 0, settled above 2, in flight 0, retry 8, timer 80
                at 80
                deliver m2 10 until 90         -> lease 2: 0..2 attempt 2 failures 1
                deliver m2 10 until 90         -> lease 3: 4..10 attempt 2 failures 1
                """);
    }

    @Test
    void keepsALeaseThatWasExtended() {
        group.plays("""
                deliver m1 5 until 50          -> lease 1: 0..5 attempt 1 failures 0
                deliver m1 5 until 60          -> lease 2: 5..10 attempt 1 failures 0
                extend 1 until 70              -> ok
                state                          -> cursor 0, settled above 0, in flight 10, retry 0, timer 60
                at 60
                expire due 99                  -> lease 2 of m1 lost 5..10
                accept 1 0..5                  -> ok
                """);
    }

    @Test
    void countsNoFailureForWhatIsReleased() {
        group.plays("""
                deliver m1 10 until 50         -> lease 1: 0..10 attempt 1 failures 0
                release 1 0..3                 -> ok
                state                          -> cursor 0, settled above 0, in flight 7, retry 3, timer 50
                deliver m2 9 until 50          -> lease 2: 0..3 attempt 2 failures 0
                accept 1 0..3                  -> LEASE_LOST
                accept 2 0..3                  -> ok
                """);
    }

    @Test
    void keepsTheFailuresOfWhatIsReleased() {
        group.plays("""
                failed 0..2 4 due 10
                at 10
                deliver m1 9 until 50          -> lease 1: 0..2 attempt 5 failures 4
                release 1 0..2                 -> ok
                deliver m1 9 until 50          -> lease 2: 0..2 attempt 6 failures 4
                """);
    }

    @Test
    void givesBackAtOnceWhatAMemberHeldThatIsGone() {
        group.plays("""
                deliver m1 5 until 50          -> lease 1: 0..5 attempt 1 failures 0
                deliver m2 5 until 50          -> lease 2: 5..10 attempt 1 failures 0
                deliver m1 5 until 50          -> lease 3: 10..15 attempt 1 failures 0
                accept 1 1..3                  -> ok
                gone m1
                state                          -> cursor 0, settled above 2, in flight 5, retry 8, timer 50
                accept 3 10..15                -> LEASE_LOST
                accept 2 5..10                 -> ok
                deliver m2 9 until 50          -> lease 4: 0..1 attempt 2 failures 0
                deliver m2 9 until 50          -> lease 5: 3..5 attempt 2 failures 0
                deliver m2 9 until 50          -> lease 6: 10..15 attempt 2 failures 0
                deliver m2 9 until 50          -> lease 7: 15..20 attempt 1 failures 0
                """);
    }

    @Test
    void neverRedeliversWhatIsPending() {
        group.plays("""
                deliver m1 20 until 50         -> lease 1: 0..20 attempt 1 failures 0
                pend 1 0..20                   -> ok
                at 1000
                expire due 1000                -> nothing
                gone m1
                deliver m2 20 until 2000       -> nothing
                state                          -> cursor 0, settled above 0, in flight 20, retry 0, timer none
                settled 0..20
                state                          -> cursor 20, settled above 0, in flight 0, retry 0, timer none
                """);
    }

    @Test
    void refusesToSettleTwiceOrBeyondTheLeaseAndChangesNothing() {
        group.plays("""
                deliver m1 10 until 50         -> lease 1: 0..10 attempt 1 failures 0
                deliver m2 10 until 50         -> lease 2: 10..20 attempt 1 failures 0
                accept 1 4..6                  -> ok
                accept 1 5..7                  -> LEASE_LOST
                accept 1 3..5                  -> LEASE_LOST
                accept 1 8..11                 -> LEASE_LOST
                accept 2 9..12                 -> LEASE_LOST
                accept 1 7..7                  -> LEASE_LOST
                accept 9 0..1                  -> LEASE_LOST
                state                          -> cursor 0, settled above 2, in flight 18, retry 0, timer 50
                """);
    }

    @Test
    void refusesToSettleBelowALargeLease() {
        new Transcript(1000, 192).plays("""
                        seek 64
                        deliver m1 128 until 50        -> lease 1: 64..192 attempt 1 failures 0
                        accept 1 10..12                -> LEASE_LOST
                        accept 1 100..101              -> ok
                        accept 1 10..12                -> LEASE_LOST
                        state                          -> cursor 64, settled above 1, in flight 127, retry 0, timer 50
                        """);
    }

    @Test
    void fencesTheLeaseWhoseRecordWentToAnother() {
        group.plays("""
                deliver m1 10 until 50         -> lease 1: 0..10 attempt 1 failures 0
                nack 1 5..6 due 0              -> ok
                deliver m2 10 until 50         -> lease 2: 5..6 attempt 2 failures 1
                accept 1 5..6                  -> LEASE_LOST
                accept 1 4..7                  -> LEASE_LOST
                accept 2 5..6                  -> ok
                """);
    }

    @Test
    void losesEveryLeaseAndHistoryInASeek() {
        group.plays("""
                deliver m1 10 until 50         -> lease 1: 0..10 attempt 1 failures 0
                accept 1 3..5                  -> ok
                nack 1 7..8 due 30             -> ok
                seek 2
                state                          -> cursor 2, settled above 0, in flight 0, retry 0, timer none
                accept 1 0..3                  -> LEASE_LOST
                deliver m2 30 until 50         -> lease 2: 2..20 attempt 1 failures 0
                """);
    }

    @Test
    void neverLeasesARecordTwiceWhenAFailureFromBeforeASeekComesLate() {
        group.plays("""
                deliver m1 10 until 50         -> lease 1: 0..10 attempt 1 failures 0
                pend 1 0..10                   -> ok
                seek 0
                deliver m2 10 until 50         -> lease 2: 0..10 attempt 1 failures 0
                failed 0..10 1 due 0
                deliver m3 10 until 50         -> lease 3: 10..20 attempt 1 failures 0
                deliver m3 10 until 50         -> nothing
                release 2 0..10                -> ok
                deliver m3 10 until 50         -> lease 4: 0..10 attempt 2 failures 1
                """);
    }

    @Test
    void countsWhatTheLogDroppedAsSettled() {
        group.plays("""
                deliver m1 10 until 50         -> lease 1: 0..10 attempt 1 failures 0
                accept 1 6..7                  -> ok
                nack 1 2..3 due 10             -> ok
                trim 6
                state                          -> cursor 7, settled above 0, in flight 3, retry 0, timer 50
                accept 1 4..8                  -> LEASE_LOST
                accept 1 4..6                  -> ok
                accept 1 7..8                  -> ok
                state                          -> cursor 8, settled above 0, in flight 2, retry 0, timer 50
                trim 15
                deliver m1 10 until 50         -> lease 2: 15..20 attempt 1 failures 0
                """);
    }

    @Test
    void deliversNothingBeyondTheWindow() {
        new Transcript(8, 20).plays("""
                        deliver m1 20 until 50         -> lease 1: 0..8 attempt 1 failures 0
                        accept 1 1..8                  -> ok
                        deliver m1 20 until 50         -> nothing
                        accept 1 0..1                  -> ok
                        deliver m1 20 until 50         -> lease 2: 8..16 attempt 1 failures 0
                        """);
    }

    @Test
    void deliversWhatIsUnsettledBetweenTheRangesOfASnapshot() {
        group.plays("""
                settled 3..5
                failed 7..9 2 due 100
                deliver m1 20 until 50         -> lease 1: 0..3 attempt 1 failures 0
                deliver m1 20 until 50         -> lease 2: 5..7 attempt 1 failures 0
                deliver m1 20 until 50         -> lease 3: 9..20 attempt 1 failures 0
                at 100
                deliver m1 20 until 50         -> lease 4: 7..9 attempt 3 failures 2
                """);
    }

    @Test
    void deliversWhatLiesBelowAFailureThatIsDueFirstAfterARestart() {
        group.plays("""
                failed 7..9 1 due 0
                deliver m1 20 until 50         -> lease 1: 7..9 attempt 2 failures 1
                accept 1 7..9                  -> ok
                deliver m1 20 until 50         -> lease 2: 0..7 attempt 1 failures 0
                deliver m1 20 until 50         -> lease 3: 9..20 attempt 1 failures 0
                deliver m1 20 until 50         -> nothing
                """);
    }

    @Test
    void keepsFailuresForASnapshotWhereverTheRecordsAre() {
        var state = new SubscriptionState(0, 100, () -> 1);
        state.applyFailed(0, 6, 2, 40);
        state.applyFailed(6, 8, 1, 50);
        state.lease(8, 9, 1, 0, 1, 90);
        state.next(9, 40, new Pick());
        state.lease(0, 6, 3, 2, 1, 90);
        state.applySettled(3, 4);

        var failed = new ArrayList<String>();
        state.forEachFailed((from, to, failures, dueMs, failedBy) ->
                failed.add(from + ".." + to + " failures " + failures + " due " + dueMs));

        assertThat(failed)
                .isEqualTo(List.of("0..3 failures 2 due 40", "4..6 failures 2 due 40", "6..8 failures 1 due 50"));
    }

    @Test
    void refusesToLeaseWhatIsNotInThePool() {
        var state = new SubscriptionState(10, 100, () -> 1);
        state.lease(10, 20, 1, 0, 1, 50);

        assertThatThrownBy(() -> state.lease(19, 25, 1, 0, 2, 50)).isInstanceOf(IllegalStateException.class);
        assertThatThrownBy(() -> state.lease(9, 10, 1, 0, 2, 50)).isInstanceOf(IllegalStateException.class);
        assertThatThrownBy(() -> state.lease(100, 111, 1, 0, 2, 50)).isInstanceOf(IllegalStateException.class);
        assertThat(state.inFlight()).isEqualTo(10);
    }

    @Test
    void ignoresWhatIsSettledFurtherAwayThanAnyLeaseCanBe() {
        var state = new SubscriptionState(0, 100, () -> 1);

        state.applySettled(1L << 40, (1L << 40) + 10);
        state.applyFailed(1L << 40, (1L << 40) + 10, 1, 0);

        assertThat(state.settledAbove()).isZero();
        assertThat(state.waitingRetry()).isZero();
        assertThat(state.memoryBytes()).isLessThan(2000);
    }

    @Test
    void keepsItsMemoryBoundedThroughALongLifeOfFailures() {
        var fences = new AtomicLong();
        var state = new SubscriptionState(0, 1000, fences::incrementAndGet);
        var pick = new Pick();
        for (int i = 0; i < 20_000; i++) {
            assertThat(state.next(Long.MAX_VALUE, i, pick)).isTrue();
            var lease = state.lease(pick.from, pick.to, pick.attempt, pick.failures, 1, i + 10);
            state.settle(lease.fence(), lease.from(), lease.to(), Outcome.NACK);
            if (pick.failures == 0) {
                state.applyFailed(lease.from(), lease.to(), 1, i);
            } else {
                state.applySettled(lease.from(), lease.to());
            }
        }

        assertThat(state.cursor()).isGreaterThan(1_000_000);
        assertThat(state.memoryBytes()).isLessThan(40_000);
    }

    @Test
    void boundsTheMemoryOfAWindowSettledInRandomOrder() {
        int window = 1 << 20;
        var state = new SubscriptionState(0, window, () -> 1);
        state.lease(0, window, 1, 0, 1, 50);
        for (long at = window - 1; at > 0; at -= 2) {
            state.settle(1, at, at + 1, Outcome.ACCEPT);
            state.applySettled(at, at + 1);
        }

        assertThat(state.settledAbove()).isEqualTo(window / 2);
        assertThat(state.memoryBytes()).isLessThan(window / 4);
    }
}
