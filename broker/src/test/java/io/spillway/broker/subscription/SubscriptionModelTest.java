package io.spillway.broker.subscription;

import static org.assertj.core.api.Assertions.assertThat;

import io.spillway.broker.subscription.SubscriptionModel.Where;
import io.spillway.broker.subscription.SubscriptionState.Outcome;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import java.util.TreeMap;
import java.util.TreeSet;
import org.junit.jupiter.api.RepeatedTest;

/** Random lives of a group, compared after every step with a model that keeps each record by itself. */
class SubscriptionModelTest {
    private static final int STEPS = 4_000;
    private static final int MEMBERS = 3;
    private static final Outcome[] OUTCOMES = Outcome.values();

    private final long seed = Long.getLong("spillway.seed", new Random().nextLong());
    private final Random random = new Random(seed);
    private final int window = 1 + random.nextInt(random.nextBoolean() ? 30 : 400);
    private final long begin = random.nextInt(3) * 63L;
    private SubscriptionState state = new SubscriptionState(begin, window, this::nextFence);
    private SubscriptionModel model = new SubscriptionModel(begin, window);
    private final List<Runnable> undelivered = new ArrayList<>();
    private final Pick pick = new Pick();
    private final Pick expected = new Pick();
    private long fence;
    private long nowMs;
    private long logEnd = begin;
    private String step = "";

    @RepeatedTest(20)
    void doesWhatTheModelDoes() {
        for (int i = 0; i < STEPS; i++) {
            step = "seed " + seed + ", step " + i + ", window " + window;
            act();
            compare();
        }
    }

    private void act() {
        switch (random.nextInt(20)) {
            case 0, 1, 2, 3 -> deliver();
            case 4, 5, 6, 7, 8, 9 -> settle();
            case 10, 11, 12, 13 -> applyDecided();
            case 14 -> extend();
            case 15 -> expire();
            case 16 -> time();
            case 17 -> logEnd = Math.max(logEnd, model.cursor + random.nextInt(2 * window + 5));
            case 18 -> rare();
            default -> foreignRecord();
        }
    }

    private void rare() {
        switch (random.nextInt(8)) {
            case 0, 1 -> {
                long member = random.nextInt(MEMBERS);
                state.releaseMember(member);
                model.releaseMember(member);
            }
            case 2 -> {
                long offset = Math.max(0, model.cursor + random.nextInt(2 * window) - window);
                state.applySeek(offset);
                model.applySeek(offset);
            }
            case 3 -> {
                long offset = model.cursor + random.nextInt(random.nextBoolean() ? 5 : 2 * window);
                state.skipTo(offset);
                model.applySettled(model.cursor, offset);
            }
            case 4 -> restart();
            default -> time();
        }
    }

    private void deliver() {
        boolean found = model.next(logEnd, nowMs, expected);

        assertThat(state.next(logEnd, nowMs, pick)).as(step).isEqualTo(found);
        if (!found) {
            return;
        }
        assertThat(pick).as(step).usingRecursiveComparison().isEqualTo(expected);
        int length = (int) (pick.to - pick.from);
        int skipped = random.nextInt(4) == 0 ? random.nextInt(length) : 0;
        long from = pick.from + skipped;
        long to = from + 1 + random.nextInt(length - skipped);
        long member = random.nextInt(MEMBERS);
        long deadlineMs = nowMs + random.nextInt(100);
        if (random.nextInt(3) == 0) {
            deliverSome(from, to, member, deadlineMs);
            return;
        }
        var lease = state.lease(from, to, pick.attempt, pick.failures, member, deadlineMs);
        model.lease(lease.fence(), from, to, pick.attempt, member, deadlineMs);
    }

    /** Each record is looked at: leased, held back, or settled undelivered. */
    private void deliverSome(long from, long to, long member, long deadlineMs) {
        var selection = new Selection();
        long base = Math.max(0, from - random.nextInt(70));
        selection.reset(base, (int) (to - base) + random.nextInt(70));
        var offsets = new TreeSet<Long>();
        state.claim(from, to);
        model.claim(from, to);
        for (long at = from; at < to; at++) {
            long offset = at;
            switch (random.nextInt(6)) {
                case 0 -> {
                    long atMs = nowMs + random.nextInt(60);
                    state.schedule(offset, offset + 1, atMs);
                    model.schedule(offset, atMs);
                }
                case 1 -> undelivered.add(() -> settled(offset, offset + 1));
                default -> {
                    selection.add((int) (at - base));
                    offsets.add(at);
                }
            }
        }
        if (!offsets.isEmpty()) {
            var lease = state.lease(selection, pick.attempt, pick.failures, member, deadlineMs);
            model.lease(lease.fence(), offsets, pick.attempt, member, deadlineMs);
            assertThat(lease.unsettled()).as(step).isEqualTo(offsets.size());
        }
    }

    private void settle() {
        long target = fence == 0 ? 1 : Math.max(1, fence - random.nextInt(6));
        var lease = state.find(target);
        long from = lease == null ? model.cursor : lease.from() + random.nextInt((int) (lease.to() - lease.from()));
        long to = from + (random.nextBoolean() ? 1 : random.nextInt(8));
        if (lease != null && random.nextInt(4) == 0) {
            from = lease.from();
            to = lease.to();
        }
        if (random.nextInt(10) == 0) {
            from = Math.max(0, from - random.nextInt(200));
        }
        var outcome = OUTCOMES[random.nextInt(OUTCOMES.length)];

        boolean held = state.settle(target, from, to, outcome);

        assertThat(held).as(step).isEqualTo(model.settle(target, from, to, outcome == Outcome.RELEASE));
        if (held && lease != null) {
            lease.forEach(from, to, (first, end) -> decide(first, end, lease.failures() + 1, outcome));
        }
    }

    /** The durable record of a settle is applied some steps later, unless it is lost in a crash. */
    private void decide(long from, long to, int failures, Outcome outcome) {
        switch (outcome) {
            case ACCEPT, TERM -> undelivered.add(() -> settled(from, to));
            case NACK -> {
                long dueMs = nowMs + random.nextInt(60);
                undelivered.add(() -> failed(from, to, failures, dueMs));
            }
            case RELEASE -> {}
        }
    }

    private void applyDecided() {
        if (!undelivered.isEmpty()) {
            undelivered
                    .remove(random.nextInt(10) == 0 ? random.nextInt(undelivered.size()) : 0)
                    .run();
        }
    }

    private void foreignRecord() {
        if (random.nextInt(4) > 0) {
            return;
        }
        long from = model.cursor + random.nextInt(window + 20) - 10;
        long to = from + random.nextInt(12);
        if (random.nextBoolean()) {
            settled(from, to);
        } else {
            failed(from, to, 1 + random.nextInt(3), nowMs + random.nextInt(60));
        }
    }

    private void settled(long from, long to) {
        state.applySettled(from, to);
        model.applySettled(from, to);
    }

    private void failed(long from, long to, int failures, long dueMs) {
        int[] failedBy = random.ints(random.nextInt(3), 1, MEMBERS + 1).toArray();
        state.applyFailed(from, to, failures, dueMs, failedBy);
        model.applyFailed(from, to, failures, dueMs, failedBy);
    }

    private void extend() {
        long target = Math.max(1, fence - random.nextInt(6));
        long deadlineMs = nowMs + random.nextInt(200);

        assertThat(state.extend(target, deadlineMs)).as(step).isEqualTo(model.extend(target, deadlineMs));
    }

    private void expire() {
        Map<Long, List<Long>> ended = new TreeMap<>();
        Map<Long, Lease> leases = new TreeMap<>();
        state.expire(nowMs, (from, to, lease) -> {
            leases.put(lease.fence(), lease);
            for (long at = from; at < to; at++) {
                ended.computeIfAbsent(lease.fence(), id -> new ArrayList<>()).add(at);
            }
        });

        assertThat(ended).as(step).isEqualTo(model.expire(nowMs));
        ended.forEach((id, offsets) -> {
            assertThat(state.find(id)).as(step).isNull();
            var lease = Objects.requireNonNull(leases.get(id));
            offsets.forEach(at -> decide(at, at + 1, lease.failures() + 1, Outcome.NACK));
        });
    }

    private void time() {
        nowMs += random.nextInt(40);
    }

    /** Leases and records under way are lost; what was applied comes back from the snapshot. */
    private void restart() {
        var durable = durable(state);
        var restored = new SubscriptionState(state.cursor(), window, this::nextFence);
        var restoredModel = new SubscriptionModel(state.cursor(), window);
        state.forEachSettled((from, to) -> {
            restored.applySettled(from, to);
            restoredModel.applySettled(from, to);
        });
        state.forEachFailed((from, to, failures, dueMs, failedBy) -> {
            restored.applyFailed(from, to, failures, dueMs, failedBy);
            restoredModel.applyFailed(from, to, failures, dueMs, failedBy);
        });
        state = restored;
        model = restoredModel;
        undelivered.clear();
        assertThat(durable(state)).as(step).isEqualTo(durable);
    }

    private void compare() {
        assertThat(durable(state)).as(step).isEqualTo(model.durable());
        assertThat(state.settledAbove()).as(step).isEqualTo(model.count(Where.SETTLED));
        assertThat(state.inFlight()).as(step).isEqualTo(model.count(Where.LEASED, Where.PENDING));
        assertThat(state.scheduled()).as(step).isEqualTo(model.count(Where.SCHEDULED));
        assertThat(state.waitingRetry()).as(step).isEqualTo(model.count(Where.WAITING, Where.READY));
        assertThat(state.nextTimerMs()).as(step).isEqualTo(model.nextTimerMs());
        assertThat(state.memoryBytes()).as(step).isLessThan(40_000);
        model.leases.forEach((id, lease) -> {
            var found = state.find(id);
            Objects.requireNonNull(found, step);
            assertThat(found.unsettled()).as(step).isEqualTo(lease.open().size());
            assertThat(found.deadlineMs()).as(step).isEqualTo(lease.deadlineMs()[0]);
        });
    }

    private static List<String> durable(SubscriptionState state) {
        var byOffset = new TreeMap<Long, String>();
        state.forEachSettled((from, to) -> {
            for (long at = from; at < to; at++) {
                byOffset.put(at, at + " settled");
            }
        });
        state.forEachFailed((from, to, failures, dueMs, failedBy) -> {
            for (long at = from; at < to; at++) {
                byOffset.put(at, at + " failed " + failures + " with " + Arrays.toString(failedBy) + " due " + dueMs);
            }
        });
        var lines = new ArrayList<String>();
        lines.add("cursor " + state.cursor());
        lines.addAll(byOffset.values());
        return lines;
    }

    private long nextFence() {
        return ++fence;
    }
}
