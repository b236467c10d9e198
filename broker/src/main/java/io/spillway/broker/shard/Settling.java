package io.spillway.broker.shard;

import static io.spillway.broker.shard.DeadLetter.Cause.LEASE_EXPIRED;
import static io.spillway.broker.shard.DeadLetter.Cause.MAX_DELIVERIES;
import static io.spillway.broker.shard.DeadLetter.Cause.MEMBERS_FAILED;
import static io.spillway.broker.shard.DeadLetter.Cause.POISON;
import static io.spillway.broker.shard.DeadLetter.Cause.TERMINATED;

import io.spillway.broker.base.SpillwayException;
import io.spillway.broker.catalog.GroupConfig;
import io.spillway.broker.records.GroupFailed;
import io.spillway.broker.records.GroupSettled;
import io.spillway.broker.records.StateRecord;
import io.spillway.broker.subscription.Lease;
import io.spillway.broker.subscription.SubscriptionState;
import io.spillway.broker.subscription.SubscriptionState.Outcome;
import io.spillway.protocol.Code;
import io.spillway.protocol.v1.AckItem;
import io.spillway.protocol.v1.Error;
import io.spillway.protocol.v1.ItemError;
import io.spillway.protocol.v1.RetryClass;
import java.util.ArrayList;
import java.util.List;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Takes acks, nacks, extensions, releases and terminations, and what happens when a lease runs out. Settles are collected
 * and written as one entry per flush; a member that wants the result is answered when that entry is as durable as the
 * topic asks. Confined to the shard thread.
 */
final class Settling {
    /** Wire numbers of AckItem.outcome. */
    private static final int ACCEPT = 0;

    private static final int NACK = 1;
    private static final int EXTEND = 2;
    private static final int TERM = 3;
    private static final int RELEASE = 4;
    /** AckItem.reason of a TERM for a record that could not be read. */
    private static final int POISON_REASON = 1;

    private static final Logger LOG = LoggerFactory.getLogger(Settling.class);
    /** What outcomes are called in spans, by their numbers. */
    private static final List<String> OUTCOMES = List.of("ack", "nack", "extend", "terminate", "release");

    private static final int MAX_LEASE_MS = 12 * 60 * 60 * 1000;

    /** Somebody who wants to know that what was settled is written. */
    private record Confirmation(TopicState topic, List<ItemError> errors, Reply<List<ItemError>> reply) {}

    private final ShardState state;
    private final Journal journal;
    private final DeadLetters deadLetters;
    private final ShardCounters counters;
    private final List<Group> unwritten = new ArrayList<>();
    private final List<Confirmation> confirmations = new ArrayList<>();
    private final RandomGenerator random;
    private long nextFlushMs;
    /** Somebody waits for what was settled: a key whose next record may go out then. */
    private boolean soon;

    /** @param random for the part of a wait that is random */
    Settling(
            ShardState state,
            Journal journal,
            DeadLetters deadLetters,
            ShardCounters counters,
            RandomGenerator random) {
        this.random = random;
        this.state = state;
        this.journal = journal;
        this.deadLetters = deadLetters;
        this.counters = counters;
    }

    void settle(ShardCommand.Settle command, GroupMember member, long nowMs) {
        ItemErrors errors = new ItemErrors();
        for (int i = 0; i < command.items().size(); i++) {
            AckItem item = command.items().get(i);
            if (!settle(item, member, nowMs)) {
                counters.leasesLost.add(item.getLast() - item.getFirst() + 1);
                errors.add(i, leaseLost(member.group, item));
            }
        }
        member.group.topic.ready();
        if (command.confirm()) {
            schedule(nowMs);
            confirmations.add(new Confirmation(member.group.topic, errors.list(), command.reply()));
        } else if (!errors.list().isEmpty()) {
            command.reply().ok(errors.list());
        }
    }

    private boolean settle(AckItem item, GroupMember member, long nowMs) {
        if (item.getPartition() < 0 || item.getPartition() >= member.group.places.length) {
            return false;
        }
        Group group = holder(member.group, item);
        Group.Place place = group.places[item.getPartition()];
        SubscriptionState subscription = place.state;
        Lease lease = subscription.find(item.getFence());
        long from = item.getFirst();
        long to = item.getLast() + 1;
        if (lease == null || lease.memberId() != member.member.id() || from < 0 || to <= from) {
            return false;
        }
        if (item.getOutcome() == EXTEND) {
            int leaseMs = item.getDelayMs() > 0 ? Math.min(item.getDelayMs(), MAX_LEASE_MS) : member.leaseMs;
            return subscription.extend(item.getFence(), nowMs + leaseMs);
        }
        if (!subscription.settle(item.getFence(), from, to, outcome(item.getOutcome()))) {
            return false;
        }
        int records = lease.count(from, to);
        member.member.settled(records);
        state.tracing.settled(item.getFence(), from, to, OUTCOMES.get(item.getOutcome()));
        switch (item.getOutcome()) {
            case ACCEPT -> {
                counters.accepted.add(records);
                member.member.health().outcomes().accepted(records);
                group.breaker.acked(records, nowMs);
                lease.forEach(from, to, place::ack);
                soon |= subscription.keyBlocked() > 0;
            }
            case NACK -> {
                counters.nacked.add(records);
                lease.forEach(from, to, (first, end) -> {
                    DeadLetter failed = failed(group, place, lease, first, end, MAX_DELIVERIES, item.getDetail());
                    fail(failed, lease, member, nowMs, item.getDelayMs());
                });
            }
            case TERM -> {
                DeadLetter.Cause cause = item.getReason() == POISON_REASON ? POISON : TERMINATED;
                lease.forEach(
                        from,
                        to,
                        (first, end) ->
                                giveUp(failed(group, place, lease, first, end, cause, item.getDetail()), nowMs));
            }
            default -> counters.released.add(records);
        }
        unwritten(group, nowMs);
        return true;
    }

    /** The group a lease belongs to: the member's own, or a side lane of it. */
    private static Group holder(Group group, AckItem item) {
        for (int i = 0; i < group.lanes.size(); i++) {
            if (group.lanes.get(i).places[item.getPartition()].state.find(item.getFence()) != null) {
                return group.lanes.get(i);
            }
        }
        return group;
    }

    private static Outcome outcome(int wire) {
        return switch (wire) {
            case ACCEPT -> Outcome.ACCEPT;
            case NACK -> Outcome.NACK;
            case TERM -> Outcome.TERM;
            default -> Outcome.RELEASE;
        };
    }

    /** Whether this is an outcome the protocol knows. */
    static boolean isKnownOutcome(int wire) {
        return wire >= ACCEPT && wire <= RELEASE;
    }

    private static DeadLetter failed(
            Group group, Group.Place place, Lease lease, long from, long to, DeadLetter.Cause cause, String error) {
        return new DeadLetter(group, place, from, to, cause, lease.attempt(), lease.failures() + 1, error);
    }

    /** Records failed once more: again later, or given up. */
    private void fail(DeadLetter all, Lease lease, @Nullable GroupMember with, long nowMs, long delayMs) {
        GroupConfig config = all.group().config();
        boolean isTooOften = config.maxDeliveries() > 0 && all.failures() >= config.maxDeliveries();
        Blame.divide(all.place(), lease, with, all.from(), all.to(), (from, to, failedBy, isPoison) -> {
            DeadLetter item = all.part(from, to);
            if (isTooOften || isPoison) {
                giveUp(isTooOften ? item : item.because(MEMBERS_FAILED), nowMs, failedBy);
            } else {
                GroupConfig.Retry retry = config.retry();
                long waitMs =
                        delayMs > 0 ? delayMs : retry.backoff().delayMs(item.failures(), retry.jitterPercent(), random);
                again(item, nowMs + waitMs, failedBy);
            }
        });
    }

    /** To the dead letters, as long as the group's breaker allows; beyond that the group pauses and keeps its records. */
    private void giveUp(DeadLetter item, long nowMs, int... failedBy) {
        Group group = item.group();
        int records = (int) (item.to() - item.from());
        int admitted = group.keepsDeadLetters() ? 0 : group.breaker.admit(records, nowMs);
        long end = item.from() + admitted;
        if (admitted > 0) {
            deadLetters.add(item.part(item.from(), end), nowMs);
        }
        if (group.breaker.isTripped() && !group.paused()) {
            pause(group, nowMs);
        }
        if (end < item.to()) {
            again(item.part(end, item.to()), nowMs, failedBy);
        }
    }

    /** The time of records ran out before they were delivered; no consumer saw them, so the breaker does not either. */
    void expired(DeadLetter item, long nowMs) {
        deadLetters.add(item, nowMs);
        unwritten(item.group(), nowMs);
    }

    private void pause(Group group, long nowMs) {
        String why = group.breaker.why();
        counters.breakerTrips.increment();
        journal.commit(List.of(GroupChanges.paused(group, true, Group.BREAKER + ": " + why, nowMs)));
        LOG.warn(
                "event=group_paused topic={} group={} why=\"{}\" next=\"look at the dead letters (spillway dlq list {}), "
                        + "then spillway {}\"",
                group.topic.spec.name(),
                group.name(),
                why,
                group.topic.spec.name(),
                group.isReplay()
                        ? "replay resume " + group.created.getReplayId()
                        : "group resume " + group.topic.spec.name() + " " + group.name());
    }

    private static void again(DeadLetter item, long dueMs, int... failedBy) {
        item.place().failed.add(FailedRanges.of(item.from(), item.to(), item.failures(), dueMs, failedBy));
    }

    private static Error leaseLost(Group group, AckItem item) {
        return Error.newBuilder()
                .setCode(Code.LEASE_LOST.number())
                .setReason(Code.LEASE_LOST.name())
                .setRetry(RetryClass.RETRY_NEVER)
                .setMessage("records of " + group.topic.spec.name() + "/" + item.getPartition() + " were not settled")
                .setCause("their lease in group " + group.name() + " has ended or belongs to somebody else")
                .setNextStep("expect them again; handle faster, extend the lease or ask for a longer one")
                .build();
    }

    private record Expired(long from, long to, Lease lease) {}

    /** Ends the leases that ran out; each counts as a failed delivery. */
    void expire(Group group, long nowMs) {
        for (Group.Place place : group.places) {
            if (place.state.nextTimerMs() > nowMs) {
                continue;
            }
            // Collected first: a dead letter settles in the very state that is being walked.
            List<Expired> expired = new ArrayList<>();
            place.state.expire(nowMs, (from, to, lease) -> expired.add(new Expired(from, to, lease)));
            expired.forEach(range -> expire(group, place, range, nowMs));
            group.topic.ready();
        }
    }

    private void expire(Group group, Group.Place place, Expired range, long nowMs) {
        int records = (int) (range.to - range.from);
        counters.leasesExpired.add(records);
        state.tracing.settled(range.lease.fence(), range.from, range.to, "expire");
        unburden(group, range.lease, records);
        GroupMember holder = group.ports.get(range.lease.memberId());
        if (holder != null) {
            holder.member.health().outcomes().expired(range.lease.fence());
        }
        String why = "the lease of member " + range.lease.memberId() + " ran out";
        DeadLetter failed = failed(group, place, range.lease, range.from, range.to, LEASE_EXPIRED, why);
        fail(failed, range.lease, holder, nowMs, 0);
        unwritten(group, nowMs);
    }

    /** A group is about to be moved in one partition: its leases end, and what waits to be given up is decided anew. */
    void moved(Group group, Group.Place place) {
        place.state.forEachLease(lease -> ended(group, lease));
        deadLetters.forget(place);
    }

    /** A lease ends without a verdict: its holder has room for other records. */
    void ended(Group group, Lease lease) {
        unburden(group, lease, lease.unsettled());
    }

    private static void unburden(Group group, Lease lease, int records) {
        GroupMember holder = group.ports.get(lease.memberId());
        if (holder != null) {
            holder.member.settled(records);
        }
    }

    /** Records as settled, without anybody's ack, what can never be delivered. */
    void skip(Group group, Group.Place place, long from, long to, long nowMs) {
        place.settle(from, to);
        unwritten(group, nowMs);
    }

    private void unwritten(Group group, long nowMs) {
        if (!group.unwritten) {
            group.unwritten = true;
            schedule(nowMs);
            unwritten.add(group);
        }
    }

    /** The first thing to write, or to confirm, starts the clock; what comes until then shares the entry. */
    private void schedule(long nowMs) {
        if (unwritten.isEmpty() && confirmations.isEmpty()) {
            nextFlushMs = nowMs + state.config.groupFlushIntervalMs();
        }
    }

    /** When the next flush is due; Long.MAX_VALUE when there is nothing to write. */
    long nextFlushMs() {
        if (unwritten.isEmpty() && confirmations.isEmpty()) {
            return Long.MAX_VALUE;
        }
        return soon ? 0 : nextFlushMs;
    }

    /** Writes what was settled since the last flush as one entry, and answers those who wait for it. */
    void flush() {
        soon = false;
        List<StateRecord> records = new ArrayList<>();
        for (Group group : unwritten) {
            group.unwritten = false;
            if (state.groups.get(group.id) == group) {
                collect(group, records);
            }
            group.topic.ready();
        }
        unwritten.clear();
        try {
            long sequence = records.isEmpty() ? journal.lastSequence() : journal.commit(records);
            confirmations.forEach(waiting -> confirm(waiting, sequence));
            state.tracing.written();
        } catch (SpillwayException e) {
            state.tracing.unwritten(e);
            confirmations.forEach(waiting -> waiting.reply.failed(e));
            throw e;
        } finally {
            confirmations.clear();
        }
    }

    private static void collect(Group group, List<StateRecord> records) {
        for (Group.Place place : group.places) {
            if (!place.settled.isEmpty()) {
                GroupSettled.Builder settled =
                        GroupSettled.newBuilder().setGroupId(group.id).setPartitionId(place.partition.id);
                for (int i = 0; i < place.settled.size(); i++) {
                    settled.addBounds(place.settled.getLong(i));
                }
                settled.setAcked(place.acked);
                place.settled.clear();
                place.acked = 0;
                records.add(StateRecord.newBuilder().setGroupSettled(settled).build());
            }
            if (!place.failed.isEmpty()) {
                records.add(StateRecord.newBuilder()
                        .setGroupFailed(GroupFailed.newBuilder()
                                .setGroupId(group.id)
                                .setPartitionId(place.partition.id)
                                .addAllRanges(place.failed))
                        .build());
                place.failed.clear();
            }
        }
    }

    private void confirm(Confirmation waiting, long sequence) {
        if (!journal.holdsBack(waiting.topic)) {
            waiting.reply.ok(waiting.errors);
            return;
        }
        journal.whenDurable(sequence, new ReplyWhenDurable<>(waiting.errors, waiting.reply));
    }
}
