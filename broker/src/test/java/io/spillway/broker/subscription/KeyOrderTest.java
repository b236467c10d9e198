package io.spillway.broker.subscription;

import static org.assertj.core.api.Assertions.assertThat;

import io.spillway.broker.subscription.SubscriptionState.Outcome;
import io.spillway.protocol.Seeded;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.random.RandomGenerator;
import org.junit.jupiter.api.Test;

class KeyOrderTest {
    private static final int MEMBERS = 4;
    private static final int BATCH = 64;

    private final Pick pick = new Pick();
    private final Selection selection = new Selection();
    private long fence;

    private SubscriptionState group() {
        return new SubscriptionState(0, SubscriptionState.MAX_SPAN, 1 << 20, slot -> 1 + slot % MEMBERS, () -> ++fence);
    }

    private void arrive(SubscriptionState group, SubscriptionState.KeyHashes keys) {
        long from = group.arrivalsFrom();
        selection.reset(from, BATCH);
        group.arrive(from + BATCH, keys, selection);
    }

    /** What is next for a member, leased; empty when there is nothing. */
    private List<Long> deliver(SubscriptionState group, long member) {
        List<Long> offsets = new ArrayList<>();
        if (group.nextOf(member, 0, pick)) {
            selection.reset(pick.from / BATCH * BATCH, BATCH);
            group.claimOf(member, pick, BATCH, selection);
            group.lease(selection, pick.attempt, pick.failures, member, 1_000);
            selection.forEach((from, to) -> {
                for (long at = from; at < to; at++) {
                    offsets.add(at);
                }
            });
        }
        return offsets;
    }

    @Test
    void letsOtherKeysOfTheSlotPassOneThatIsHeld() {
        var group = group();
        // Two keys of one slot, the first three records of one of them.
        arrive(group, at -> at < 3 ? 4 : 4 + (int) at * SlotOwners.SLOTS);

        List<Long> first = deliver(group, 1);

        assertThat(first).contains(0L, 3L, 63L).doesNotContain(1L, 2L).hasSize(62);
        assertThat(deliver(group, 1)).isEmpty();
        assertThat(group.keyBlocked()).isEqualTo(2);
        group.settle(fence, 0, 1, Outcome.ACCEPT);
        assertThat(deliver(group, 1)).as("before it is settled for good").isEmpty();
        group.applySettled(0, 1);
        assertThat(deliver(group, 1)).containsExactly(1L);
    }

    @Test
    void passesOverWhatWasSettledWhileItWaited() {
        var group = group();
        arrive(group, at -> 4);
        deliver(group, 1);

        group.applySettled(1, 10);
        group.applySettled(0, 1);

        assertThat(deliver(group, 1)).containsExactly(10L);
    }

    @Test
    void keepsAFailedRecordInFrontOfItsKeyAcrossARestart() {
        var group = group();
        group.applyFailed(5, 6, 1, 0);
        group.applySettled(20, 30);

        assertThat(group.nextOf(1, 100, pick))
                .as("before the records below it arrived")
                .isFalse();
        arrive(group, at -> at < 5 ? 8 + (int) at * SlotOwners.SLOTS * 4 : 4);
        List<Long> first = deliver(group, 1);
        List<Long> second = deliver(group, 1);

        assertThat(first).containsExactly(0L, 1L, 2L, 3L, 4L);
        assertThat(second).containsExactly(5L);
        assertThat(pick.failures).isEqualTo(1);
        assertThat(deliver(group, 1)).isEmpty();
    }

    @Test
    void letsArriveWhatFailedBeforeARestartEvenWhenThatIsAllItMayHaveOut() {
        var group = new SubscriptionState(0, 1_000, BATCH - 1, slot -> 1, () -> ++fence);
        group.applyFailed(1, BATCH, 1, 0);

        assertThat(group.canArrive(2 * BATCH)).as("after the restart").isTrue();
        arrive(group, at -> (int) at * 0x85ebca6b | 1);
        assertThat(group.canArrive(2 * BATCH)).as("beyond what was out").isFalse();
        List<Long> fresh = deliver(group, 1);
        List<Long> failed = deliver(group, 1);

        assertThat(fresh).containsExactly(0L);
        assertThat(failed).hasSize(BATCH - 1).startsWith(1L);
        assertThat(pick.failures).isEqualTo(1);
        group.applySettled(0, BATCH);
        assertThat(group.canArrive(2 * BATCH)).as("when all is settled").isTrue();
    }

    @Test
    void givesWhatIsReadyToWhoeverOwnsItsSlotNow() {
        long[] owner = {1};
        var group = new SubscriptionState(0, 1_000, 1_000, slot -> owner[0], () -> ++fence);
        arrive(group, at -> 1 + (int) at);

        owner[0] = 2;
        group.ownersChanged();

        assertThat(deliver(group, 1)).isEmpty();
        assertThat(deliver(group, 2)).hasSize(BATCH);
    }

    /** What is ready then lies where what was ready before did in the rings of the sets. */
    @Test
    void findsWhatIsReadyAfterTheRingsWereFullOnce() {
        var group = group();
        for (int round = 1; round <= 2; round++) {
            while (group.arrivalsFrom() < round << 17) {
                arrive(group, at -> (int) at * 0x85ebca6b | 1);
            }
            long member = 1;
            for (int idle = 0; idle < MEMBERS; member = member % MEMBERS + 1) {
                List<Long> offsets = deliver(group, member);
                idle = offsets.isEmpty() ? idle + 1 : 0;
                offsets.forEach(at -> group.applySettled(at, at + 1));
            }
            assertThat(group.cursor()).isEqualTo(round << 17);
        }
    }

    /** Far beyond what the rings of the sets hold at once. */
    @Seeded(runs = 4)
    void deliversEachRecordOnceAndEachKeyInOrderThroughALongLife(RandomGenerator random) {
        var group = group();
        int records = 150_000;
        int[] keys = random.ints(records, 0, 3_000).toArray();
        Map<Integer, Long> last = new HashMap<>();
        List<Long> held = new ArrayList<>();
        int delivered = 0;
        while (delivered < records || !held.isEmpty()) {
            if (group.arrivalsFrom() + BATCH <= records && group.keyBlocked() < 20_000) {
                arrive(group, at -> keys[(int) at] * 0x85ebca6b);
            }
            for (long member = 1; member <= MEMBERS; member++) {
                for (long at : deliver(group, member)) {
                    Long before = keys[(int) at] == 0 ? null : last.put(keys[(int) at], at);
                    assertThat(before == null || before < at)
                            .as("record %d after %d", at, before)
                            .isTrue();
                    held.add(at);
                    delivered++;
                }
            }
            int settled = random.nextInt(3) == 0 ? held.size() : held.size() / 2;
            for (int i = 0; i < settled || (i < held.size() && delivered == records); i++) {
                long at = held.remove(held.size() - 1);
                group.applySettled(at, at + 1);
            }
            if (group.arrivalsFrom() + BATCH > records && delivered >= group.arrivalsFrom()) {
                held.forEach(at -> group.applySettled(at, at + 1));
                break;
            }
        }
        assertThat(delivered).isEqualTo((int) group.arrivalsFrom());
        assertThat(group.cursor()).isEqualTo(group.arrivalsFrom());
        assertThat(group.inFlight()).isZero();
        assertThat(group.memoryBytes()).isLessThan(200_000);
    }
}
