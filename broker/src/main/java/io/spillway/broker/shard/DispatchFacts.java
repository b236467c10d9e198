package io.spillway.broker.shard;

import io.spillway.broker.catalog.Switches;
import io.spillway.broker.diagnose.GroupFacts;
import io.spillway.broker.diagnose.GroupFacts.Order;
import io.spillway.broker.diagnose.GroupFacts.Pause;
import io.spillway.broker.diagnose.MemberFacts;
import io.spillway.broker.diagnose.PlaceFacts;
import io.spillway.broker.dispatch.Member;
import io.spillway.broker.subscription.Lease;
import io.spillway.broker.subscription.Standstill;
import io.spillway.broker.subscription.SubscriptionState;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Collects what decides why a group does or does not deliver. Confined to the shard thread. */
final class DispatchFacts {
    private final ShardState state;
    private final DeadLetters deadLetters;
    private final ShardAgent.Neighbours neighbours;

    DispatchFacts(ShardState state, DeadLetters deadLetters, ShardAgent.Neighbours neighbours) {
        this.state = state;
        this.deadLetters = deadLetters;
        this.neighbours = neighbours;
    }

    /** @param named whether who holds what others wait for is looked for, which takes longer the more is leased */
    GroupFacts of(Group group, long nowMs, boolean named) {
        Switches switches = group.topic.spec.switches();
        group.refill(nowMs);
        return new GroupFacts(
                group.topic.spec.name(),
                name(group),
                group.created.getReplayId(),
                order(group),
                group.pause == null ? null : new Pause(group.pause.getReason(), group.pause.getTimeMs()),
                switches.dispatchPaused() ? new Pause(switches.reason(), switches.changedMs()) : null,
                neighbours.faults().pausing(group.topic.spec.name(), name(group)),
                group.isReplay() && neighbours.holdsReplays(),
                deadLetters.heldWhy(group),
                group.isHandingOver(),
                group.room(),
                group.config().maxInFlight(),
                group.isRateUsedUp(),
                members(group, nowMs),
                places(group, nowMs, named),
                group.watched.seen(group.progress(), nowMs),
                nowMs);
    }

    private static String name(Group group) {
        return group.parent == null ? group.name() : group.parent.name();
    }

    private static Order order(Group group) {
        return switch (group.mode()) {
            case Group.KEY_ORDERED -> Order.KEY_ORDERED;
            case Group.EXCLUSIVE -> Order.EXCLUSIVE;
            default -> Order.SHARED;
        };
    }

    private static List<MemberFacts> members(Group group, long nowMs) {
        List<MemberFacts> all = new ArrayList<>(group.ports.size());
        for (GroupMember joined : group.ports.values()) {
            Member member = joined.member;
            long stateSinceMs = member.health().stateSinceMs();
            all.add(new MemberFacts(
                    member.id(),
                    joined.name,
                    joined.standing(),
                    joined.why(),
                    member.health().weight() <= 0,
                    group.isActive(member),
                    joined.paused(),
                    joined.isBlocked(),
                    member.creditBatches(),
                    member.creditBytes(),
                    member.unacked(),
                    member.maxUnacked(),
                    hasWork(group, member, nowMs),
                    Math.max(0, stateSinceMs)));
        }
        return all;
    }

    private static boolean hasWork(Group group, Member member, long nowMs) {
        if (!group.isActive(member) || (group.isOrdered() && member.isRelieved())) {
            return false;
        }
        for (Group.Place place : group.places) {
            if (isReady(group, place, member, nowMs)) {
                return true;
            }
        }
        return false;
    }

    private static boolean isReady(Group group, Group.Place place, Member member, long nowMs) {
        SubscriptionState at = place.state;
        return group.isOrdered()
                ? at.canArrive(place.limit()) || Standstill.isReadyFor(at, member.id(), nowMs)
                : Standstill.isReady(at, place.limit(), nowMs);
    }

    private List<PlaceFacts> places(Group group, long nowMs, boolean named) {
        List<PlaceFacts> all = new ArrayList<>(group.places.length);
        for (Group.Place place : group.places) {
            SubscriptionState at = place.state;
            long cursor = Math.max(at.cursor(), state.log.startOffset(place.partition.id));
            all.add(new PlaceFacts(
                    place.partition.index,
                    Math.max(0, place.limit() - cursor - at.settledAbove()),
                    at.inFlight(),
                    at.waitingRetry(),
                    at.scheduled(),
                    at.keyBlocked(),
                    Standstill.nextDueMs(at),
                    isReady(group, place, nowMs),
                    Standstill.unsettled(at),
                    Standstill.window(at),
                    place.isHidden ? place.partition.endOffset - place.partition.visibleEnd : 0,
                    place.cursor.halted(),
                    named && at.keyBlocked() > 0 ? blocker(group, at) : null));
        }
        return all;
    }

    private static boolean isReady(Group group, Group.Place place, long nowMs) {
        if (!group.isOrdered()) {
            return Standstill.isReady(place.state, place.limit(), nowMs);
        }
        if (place.state.canArrive(place.limit())) {
            return true;
        }
        for (GroupMember joined : group.ports.values()) {
            if (!joined.member.isRelieved() && Standstill.isReadyFor(place.state, joined.member.id(), nowMs)) {
                return true;
            }
        }
        return false;
    }

    private static PlaceFacts.@Nullable Blocker blocker(Group group, SubscriptionState at) {
        Standstill.Blocking found = Standstill.blocking(at, lease -> since(group, lease));
        if (found == null) {
            return null;
        }
        Lease lease = found.lease();
        GroupMember holder = group.ports.get(lease.memberId());
        String name = holder == null || holder.name.isEmpty() ? "#" + lease.memberId() : holder.name;
        return new PlaceFacts.Blocker(found.offset(), name, since(group, lease), lease.deadlineMs(), lease.attempt());
    }

    private static long since(Group group, Lease lease) {
        GroupMember holder = group.ports.get(lease.memberId());
        return lease.firstDeadlineMs() - (holder == null ? 0 : holder.leaseMs);
    }
}
