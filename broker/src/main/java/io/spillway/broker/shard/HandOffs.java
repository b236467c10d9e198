package io.spillway.broker.shard;

import io.spillway.broker.dispatch.HealthState;
import io.spillway.broker.dispatch.KeySlots;
import io.spillway.broker.dispatch.Member;
import io.spillway.broker.dispatch.MemberHealth;
import io.spillway.broker.subscription.Lease;
import java.util.ArrayList;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Relieves members of KEY_ORDERED and EXCLUSIVE groups that are not well: others get their keys, or their turn. What a
 * member holds stays its own for 5 s, or as long as its lease is; then its leases end, and what it settles comes too late.
 * It gets its part back after 30 s in which it was well, keys a tenth of all each 10 s. In a SHARED group there is nothing
 * to be relieved of.
 *
 * <p>At any time at least one member is not relieved. Confined to the shard thread.
 */
final class HandOffs {
    private static final Logger LOG = LoggerFactory.getLogger(HandOffs.class);
    private static final int DRAIN_MS = 5_000;
    private static final long DEGRADED_MS = 10_000;
    private static final long WELL_MS = 30_000;
    private static final long EVEN_MS = 10_000;
    private static final int SLOTS_AT_ONCE = KeySlots.SLOTS / 10;

    private final Settling settling;
    private final ShardCounters counters;

    HandOffs(Settling settling, ShardCounters counters) {
        this.settling = settling;
        this.counters = counters;
    }

    /** Somebody's health may have changed. */
    void look(Group group, long nowMs) {
        if (group.mode() == Group.SHARED) {
            return;
        }
        for (GroupMember joined : List.copyOf(group.ports.values())) {
            boolean isWell = isWell(joined.member, nowMs);
            if (!joined.member.isRelieved()) {
                if (!isWell && hasHeir(group, joined, nowMs)) {
                    relieve(group, joined, nowMs);
                }
            } else if (!isWell) {
                joined.wellSinceMs = 0;
            } else if (joined.wellSinceMs == 0) {
                joined.wellSinceMs = nowMs;
            } else if (nowMs - joined.wellSinceMs >= WELL_MS && joined.drainUntilMs == 0) {
                restore(group, joined, SLOTS_AT_ONCE);
                group.evenMs = nowMs + EVEN_MS;
            }
        }
    }

    private static boolean isWell(Member member, long nowMs) {
        MemberHealth health = member.health();
        boolean isDegradedLong = health.state() == HealthState.DEGRADED && nowMs - health.stateSinceMs() >= DEGRADED_MS;
        return health.weight() > 0 && !health.outcomes().isOut() && !health.wantsHandoff() && !isDegradedLong;
    }

    private static boolean hasHeir(Group group, GroupMember joined, long nowMs) {
        for (int i = 0; i < group.members.size(); i++) {
            Member other = group.members.get(i);
            if (other != joined.member && !other.isRelieved() && isWell(other, nowMs)) {
                return true;
            }
        }
        return false;
    }

    private void relieve(Group group, GroupMember joined, long nowMs) {
        Member member = joined.member;
        boolean isStandby = group.mode() == Group.EXCLUSIVE && !group.isActive(member);
        List<Integer> slots = group.isOrdered() ? group.slots.of(member.id()) : List.of();
        boolean wasHandingOver = group.handingOver;
        member.relieved(true);
        joined.wellSinceMs = 0;
        group.left(member);
        if (isStandby) {
            return;
        }
        int drainMs = Math.min(DRAIN_MS, joined.leaseMs);
        joined.drainUntilMs = nowMs + drainMs;
        group.drainedMs = Math.min(group.drainedMs, joined.drainUntilMs);
        group.handingOver = wasHandingOver || group.mode() == Group.EXCLUSIVE;
        joined.port.relieved(member.id(), slots, drainMs);
        counters.handOffs.increment();
        say(group, joined, "relieved of " + (slots.isEmpty() ? "its turn" : slots.size() + " slots"), joined.why());
        settleDrains(group, nowMs);
    }

    private static void say(Group group, GroupMember joined, String what, String why) {
        LOG.warn(
                "event=consumer_handoff topic={} group={} member={} what=\"{}\" why=\"{}\" "
                        + "next=\"others do its part; it returns after 30 s in which it is well\"",
                group.topic.spec.name(),
                group.name(),
                joined.member.id(),
                what,
                why);
    }

    /** Ends the drains whose members hold nothing more or whose time is over, and moves slots on. */
    void tick(Group group, long nowMs) {
        if (group.drainedMs != Long.MAX_VALUE) {
            settleDrains(group, nowMs);
        }
        if (nowMs >= group.evenMs) {
            boolean moved = group.slots.even(SLOTS_AT_ONCE) > 0;
            group.evenMs = moved ? nowMs + EVEN_MS : Long.MAX_VALUE;
            group.slotsMoved();
            group.topic.ready();
        }
    }

    private void settleDrains(Group group, long nowMs) {
        group.drainedMs = Long.MAX_VALUE;
        for (GroupMember joined : List.copyOf(group.ports.values())) {
            if (joined.drainUntilMs == 0) {
                continue;
            }
            if (joined.member.unacked() > 0 && nowMs < joined.drainUntilMs) {
                group.drainedMs = Math.min(group.drainedMs, joined.drainUntilMs);
                continue;
            }
            if (joined.member.unacked() > 0) {
                fence(group, joined);
            }
            joined.drainUntilMs = 0;
            if (group.mode() == Group.EXCLUSIVE) {
                group.members.moveLast(joined.member);
                group.handingOver = false;
                promote(group);
            }
            group.topic.ready();
        }
    }

    /** What a member still holds is others' from now on; what it settles of that comes too late. */
    private void fence(Group group, GroupMember joined) {
        long memberId = joined.member.id();
        joined.port.relieved(memberId, List.of(), 0);
        List<Group> all = new ArrayList<>(group.lanes);
        all.add(group);
        for (Group holder : all) {
            for (Group.Place place : holder.places) {
                List<Lease> held = new ArrayList<>();
                place.state.forEachLease(lease -> {
                    if (lease.memberId() == memberId) {
                        held.add(lease);
                    }
                });
                held.forEach(lease -> settling.ended(holder, lease));
                place.state.releaseMember(memberId);
            }
        }
    }

    /** A member is gone and what it had given to others; of an EXCLUSIVE group the next one may be told. */
    void left(Group group, boolean hadTurn) {
        if (hadTurn) {
            group.handingOver = false;
        }
        if (group.mode() == Group.EXCLUSIVE && hadTurn) {
            promote(group);
        } else if (group.isOrdered() && group.members.first() == null) {
            restoreBest(group);
        }
    }

    private void promote(Group group) {
        if (group.members.first() == null) {
            restoreBest(group);
        }
        Member next = group.members.first();
        GroupMember heir = next == null ? null : group.ports.get(next.id());
        if (heir != null) {
            heir.port.gained(heir.member.id());
        }
    }

    /** All who are left are relieved: one that can take something goes on, or else the first. */
    private static void restoreBest(Group group) {
        if (group.members.size() == 0) {
            return;
        }
        Member best = group.members.get(0);
        for (int i = 1; i < group.members.size() && best.health().weight() == 0; i++) {
            best = group.members.get(i);
        }
        GroupMember joined = group.ports.get(best.id());
        if (joined != null) {
            restore(group, joined, KeySlots.SLOTS);
        }
    }

    private static void restore(Group group, GroupMember joined, int slots) {
        joined.member.relieved(false);
        joined.drainUntilMs = 0;
        if (group.mode() == Group.EXCLUSIVE) {
            // It comes last of all, so that it does not take the turn of who has it.
            group.members.moveLast(joined.member);
        } else {
            group.slots.join(joined.member.id(), slots);
            group.slotsMoved();
        }
    }
}
