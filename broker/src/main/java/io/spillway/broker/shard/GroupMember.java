package io.spillway.broker.shard;

import io.spillway.broker.dispatch.Member;

/** One consumer of a group. Confined to the shard thread. */
final class GroupMember implements Subscriber {
    final Group group;
    final Member member;
    final SubscriberPort port;
    final int leaseMs;
    /** What the consumer calls itself. */
    final String name;

    private boolean paused;
    private boolean blocked;

    GroupMember(Group group, Member member, SubscriberPort port, int leaseMs, String name) {
        this.group = group;
        this.member = member;
        this.port = port;
        this.leaseMs = leaseMs;
        this.name = name;
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
