package io.spillway.broker.shard;

import io.spillway.broker.dispatch.HealthState;
import io.spillway.broker.dispatch.KeySlots;
import io.spillway.broker.dispatch.Member;
import io.spillway.broker.dispatch.MemberHealth;
import io.spillway.broker.subscription.Lease;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Relieves members of KEY_ORDERED and EXCLUSIVE groups that are not well: others get their keys, or their turn. What a
 * member holds stays its own for 5 s, or as long as its lease is; then its leases end, and what it settles comes too late.
 * It gets its part back after 30 s in which it was well, keys a tenth of all each 10 s; at once when nobody else can take
 * anything. Members of a KEY_ORDERED group that stand by have no keys until somebody is relieved or goes. In a SHARED group
 * there is nothing to be relieved of.
 *
 * <p>At any time at least one member is not relieved, and one that can take something if any can. Confined to the shard
 * thread.
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

    /** Somebody has come: it has its part at once, or stands by. */
    void joined(Group group, GroupMember joined, long nowMs) {
        if (group.isOrdered() && joined.standsBy) {
            joined.member.relieved(true);
            joined.wellSinceMs = nowMs - WELL_MS;
            fill(group, KeySlots.SLOTS, joined, nowMs);
            return;
        }
        group.joined(joined.member);
        if (!joined.standsBy) {
            group.vacant = Math.max(0, group.vacant - 1);
            standbysLast(group);
        }
    }

    /** Of an EXCLUSIVE group, who stands by comes behind who does not, but keeps the turn it has. */
    private static void standbysLast(Group group) {
        if (group.mode() != Group.EXCLUSIVE) {
            return;
        }
        for (GroupMember other : List.copyOf(group.ports.values())) {
            if (other.standsBy && !group.isActive(other.member)) {
                group.members.moveLast(other.member);
            }
        }
    }

    /** Somebody's health may have changed. */
    void look(Group group, long nowMs) {
        if (group.mode() == Group.SHARED) {
            return;
        }
        for (GroupMember joined : List.copyOf(group.ports.values())) {
            boolean isWell = isWell(joined.member, nowMs);
            if (!joined.member.isRelieved()) {
                if (!isWell) {
                    relieveOf(group, joined, nowMs);
                }
            } else if (!isWell) {
                joined.wellSinceMs = 0;
            } else if (joined.wellSinceMs == 0) {
                joined.wellSinceMs = nowMs;
            } else if (isRested(joined, nowMs) && !isIdle(group, joined)) {
                restore(group, joined, SLOTS_AT_ONCE);
                group.evenMs = nowMs + EVEN_MS;
            }
        }
        fill(group, KeySlots.SLOTS, null, nowMs);
    }

    private static boolean isWell(Member member, long nowMs) {
        MemberHealth health = member.health();
        boolean isDegradedLong = health.state() == HealthState.DEGRADED && nowMs - health.stateSinceMs() >= DEGRADED_MS;
        return isAble(member) && !health.outcomes().isOut() && !health.wantsHandoff() && !isDegradedLong;
    }

    /** Whether it would be given anything at all. */
    private static boolean isAble(Member member) {
        return member.health().weight() > 0;
    }

    private static boolean isRested(GroupMember joined, long nowMs) {
        return joined.wellSinceMs != 0 && nowMs - joined.wellSinceMs >= WELL_MS && joined.drainUntilMs == 0;
    }

    /** Whether it stands by in a KEY_ORDERED group, and has no keys. */
    private static boolean isIdle(Group group, GroupMember joined) {
        return group.isOrdered() && joined.standsBy && joined.member.isRelieved();
    }

    /** Others take over from a member that is not well; from one that can take nothing, whoever can take something. */
    private void relieveOf(Group group, GroupMember joined, long nowMs) {
        boolean isAble = isAble(joined.member);
        for (GroupMember other : group.ports.values()) {
            boolean isHeir = isAble ? isWell(other.member, nowMs) : isAble(other.member);
            boolean isThere = !other.member.isRelieved() || (isIdle(group, other) && isRested(other, nowMs));
            if (other != joined && isHeir && isThere) {
                relieve(group, joined, joined.why(), nowMs);
                return;
            }
        }
        GroupMember resting = isAble || !hasPart(group, joined) ? null : ablest(group);
        if (resting != null) {
            LOG.warn(
                    "event=consumer_handoff topic={} group={} member={} what=\"goes on before its 30 s are over\" "
                            + "why=\"nobody else can take anything\" next=\"it takes over from member {}\"",
                    group.topic.spec.name(),
                    group.name(),
                    resting.member.id(),
                    joined.member.id());
            recall(group, resting);
            relieve(group, joined, joined.why(), nowMs);
        }
    }

    /** Whether it has keys, or the turn. While the turn is being handed over nobody has it. */
    private static boolean hasPart(Group group, GroupMember joined) {
        return group.isOrdered() || group.isActive(joined.member);
    }

    /** The relieved member with the largest weight; null when none of them can take anything. */
    private static @Nullable GroupMember ablest(Group group) {
        GroupMember best = null;
        for (GroupMember other : group.ports.values()) {
            boolean isBetter = best == null
                    || other.member.health().weight() > best.member.health().weight();
            if (other.member.isRelieved() && isAble(other.member) && isBetter) {
                best = other;
            }
        }
        return best;
    }

    private void relieve(Group group, GroupMember joined, String why, long nowMs) {
        Member member = joined.member;
        boolean isStandby = group.mode() == Group.EXCLUSIVE && !group.isActive(member);
        List<Integer> slots = group.isOrdered() ? group.slots.of(member.id()) : List.of();
        boolean wasHandingOver = group.handingOver;
        member.relieved(true);
        joined.wellSinceMs = 0;
        // First: who stands by and has no keys gets those of the one that leaves.
        fill(group, 0, null, nowMs);
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
        say(group, joined, "relieved of " + (slots.isEmpty() ? "its turn" : slots.size() + " slots"), why);
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

    /**
     * As many of those that stand by in a KEY_ORDERED group have keys as others are relieved or gone, and at least one
     * while there is nobody else. One too many goes back when the others have their shares.
     *
     * @param slots how many one gets at once
     * @param coming who is told by the answer it waits for
     */
    private void fill(Group group, int slots, @Nullable GroupMember coming, long nowMs) {
        if (!group.isOrdered()) {
            return;
        }
        int wanted = group.vacant;
        int serving = 0;
        int others = 0;
        GroupMember last = null;
        for (GroupMember joined : group.ports.values()) {
            if (!joined.standsBy) {
                others++;
                wanted += joined.member.isRelieved() ? 1 : 0;
            } else if (!joined.member.isRelieved()) {
                serving++;
                last = joined;
            }
        }
        wanted = Math.max(wanted, others == 0 ? 1 : 0);
        GroupMember next;
        while (serving < wanted && (next = idle(group, nowMs)) != null) {
            restore(group, next, slots);
            if (next != coming) {
                next.port.gained(next.member.id());
            }
            serving++;
        }
        if (serving > wanted && last != null && group.evenMs == Long.MAX_VALUE) {
            relieve(group, last, "who it stood in for is back", nowMs);
            last.wellSinceMs = nowMs - WELL_MS;
        }
    }

    /** Of those that stand by and are well, the one with the largest weight; null when there is none. */
    private static @Nullable GroupMember idle(Group group, long nowMs) {
        GroupMember best = null;
        for (GroupMember joined : group.ports.values()) {
            boolean isBetter = best == null
                    || joined.member.health().weight() > best.member.health().weight();
            if (isIdle(group, joined) && isRested(joined, nowMs) && isWell(joined.member, nowMs) && isBetter) {
                best = joined;
            }
        }
        return best;
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
            fill(group, KeySlots.SLOTS, null, nowMs);
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
    void left(Group group, GroupMember leaver, boolean hadTurn, long nowMs) {
        group.vacant = Math.min(group.members.size(), group.vacant + (leaver.standsBy ? 0 : 1));
        if (hadTurn) {
            group.handingOver = false;
        }
        if (group.mode() == Group.EXCLUSIVE && hadTurn) {
            promote(group);
        } else if (group.isOrdered()) {
            fill(group, KeySlots.SLOTS, null, nowMs);
            if (group.members.first() == null) {
                restoreBest(group);
            }
        }
    }

    /** The turn goes to the next one that can take something, if any can. */
    private static void promote(Group group) {
        GroupMember able = ablest(group);
        for (GroupMember joined : group.ports.values()) {
            able = !joined.member.isRelieved() && isAble(joined.member) ? joined : able;
        }
        if (able != null) {
            if (able.member.isRelieved()) {
                restore(group, able, KeySlots.SLOTS);
            }
            for (GroupMember joined : group.ports.values()) {
                if (!isAble(joined.member)) {
                    joined.member.relieved(true);
                    joined.wellSinceMs = 0;
                }
            }
        } else if (group.members.first() == null) {
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
            recall(group, joined);
        }
    }

    /** A relieved member goes on with its whole part; who stands by for keys hears of it. */
    private static void recall(Group group, GroupMember joined) {
        boolean stoodBy = isIdle(group, joined);
        restore(group, joined, KeySlots.SLOTS);
        if (stoodBy) {
            joined.port.gained(joined.member.id());
        }
    }

    private static void restore(Group group, GroupMember joined, int slots) {
        joined.member.relieved(false);
        joined.drainUntilMs = 0;
        if (group.mode() == Group.EXCLUSIVE) {
            // It comes last of all, so that it does not take the turn of who has it.
            group.members.moveLast(joined.member);
            standbysLast(group);
        } else {
            group.slots.join(joined.member.id(), slots);
            group.slotsMoved();
        }
    }
}
