package io.spillway.broker.shard;

import io.spillway.broker.dispatch.HealthState;
import io.spillway.broker.dispatch.Member;
import io.spillway.broker.dispatch.MemberHealth;
import io.spillway.broker.dispatch.Outcomes;
import java.util.List;

/** One consumer of a group. Confined to the shard thread. */
final class GroupMember implements Subscriber {
    /** What {@link #standing} says. */
    static final List<String> STANDINGS = List.of("READY", "DEGRADED", "CRITICAL", "DRAINING", "EJECTED", "PROBING");

    final Group group;
    final Member member;
    final SubscriberPort port;
    final int leaseMs;
    /** What the consumer calls itself. */
    final String name;
    /** Whether it wants records only when others are not well, or gone. */
    final boolean standsBy;

    /** Until when it may keep what it holds, because it is relieved; 0 when that is over. */
    long drainUntilMs;
    /** Since when it is well, while it is relieved; 0 when it is not well. */
    long wellSinceMs;

    private boolean paused;
    private boolean blocked;

    GroupMember(Group group, Member member, int leaseMs, ShardCommand.SubscribeGroup asked) {
        this.group = group;
        this.member = member;
        this.leaseMs = leaseMs;
        port = asked.port();
        name = asked.consumerName();
        standsBy = asked.standsBy();
    }

    /** How it is, in a word for operators. */
    String standing() {
        Outcomes outcomes = member.health().outcomes();
        HealthState said = member.health().state();
        if (said == HealthState.CRITICAL || said == HealthState.DRAINING) {
            return said.name();
        }
        return outcomes.isOut() ? "EJECTED" : outcomes.isProbing() ? "PROBING" : said.name();
    }

    /** Why it is as it is; empty when it is well. */
    String why() {
        MemberHealth health = member.health();
        String why = health.outcomes().isOut() || health.outcomes().isProbing()
                ? health.outcomes().why()
                : health.reasons();
        String asks = health.wantsHandoff() ? "it asks to be relieved" : "";
        return why.isEmpty() ? asks : why;
    }

    /** Whether its connection takes no more. */
    boolean isBlocked() {
        return blocked;
    }

    /** Whether it asked for nothing more for now. */
    boolean paused() {
        return paused;
    }

    @Override
    public TopicState topic() {
        return group.topic;
    }

    @Override
    public SubscriberPort port() {
        return port;
    }

    @Override
    public void grant(long maxBatches, long maxBytes, boolean paused) {
        member.grant(maxBatches, maxBytes);
        this.paused = paused;
        member.paused(paused || blocked);
    }

    @Override
    public void block() {
        blocked = true;
        member.paused(true);
    }

    @Override
    public void unblock() {
        blocked = false;
        member.paused(paused);
    }
}
