package io.spillway.broker.shard;

import io.spillway.broker.base.SpillwayException;
import io.spillway.broker.dispatch.Member;
import io.spillway.protocol.Code;
import io.spillway.protocol.v1.Start;
import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;

/** Who is subscribed: members of groups and stream readers, their credit, their end. Confined to the shard thread. */
final class Subscriptions {
    private final ShardState state;
    private final GroupAdministration groups;
    private final Settling settling;
    private final HandOffs handOffs;
    private final Map<SubscriberPort, Subscriber> subscribers = new IdentityHashMap<>();
    private long nextMemberId = 1;

    Subscriptions(ShardState state, GroupAdministration groups, Settling settling, ShardCounters counters) {
        this.state = state;
        this.groups = groups;
        this.settling = settling;
        handOffs = new HandOffs(settling, counters);
    }

    void subscribe(ShardCommand.SubscribeGroup command, long nowMs) {
        requireHere(command.port());
        if (command.mode() < Group.SHARED || command.mode() > Group.EXCLUSIVE) {
            throw new SpillwayException(
                    Code.UNSUPPORTED_FEATURE,
                    "this broker has no group mode " + command.mode(),
                    "it knows SHARED (0), KEY_ORDERED (1), EXCLUSIVE (2) and, without a group, STREAM (3)",
                    "subscribe in one of these modes");
        }
        if (command.standsBy() && command.mode() == Group.SHARED) {
            throw new SpillwayException(
                    Code.INVALID_ARGUMENT,
                    "a member of a SHARED group wants to stand by",
                    "its members have no part of their own that another could take over",
                    "stand by in a KEY_ORDERED or EXCLUSIVE group, or subscribe without it");
        }
        TopicState topic = state.topic(command.topicId());
        topic.spec.requireOpen();
        SpillwayException refused = command.ifNew();
        if (refused != null && !topic.groups.containsKey(command.group())) {
            throw refused;
        }
        Group group = groups.join(command, topic, nowMs);
        int maxUnacked = command.maxUnacked() > 0 ? command.maxUnacked() : state.config.defaultMaxUnacked();
        int leaseMs = command.leaseMs() > 0 ? command.leaseMs() : state.config.defaultLeaseMs();
        Member member = group.members.add(nextMemberId++, maxUnacked);
        GroupMember joined = new GroupMember(group, member, leaseMs, command);
        group.ports.put(member.id(), joined);
        handOffs.joined(group, joined, nowMs);
        subscribers.put(command.port(), joined);
        List<Integer> all = new ArrayList<>();
        for (Partition partition : topic.partitions) {
            all.add(partition.index);
        }
        command.reply().ok(new ShardCommand.Subscribed(member.id(), all, leaseMs, group.isActive(member)));
    }

    /** @param isFollower this replica may not have yet what the reader has read elsewhere */
    void subscribe(ShardCommand.SubscribeStream command, boolean isFollower) {
        requireHere(command.port());
        TopicState topic = state.topic(command.topicId());
        List<StreamReader.Place> places = new ArrayList<>();
        List<Integer> wanted = new ArrayList<>(command.partitions());
        if (wanted.isEmpty()) {
            for (Partition partition : topic.partitions) {
                wanted.add(partition.index);
            }
        }
        for (int index : wanted) {
            if (index < 0 || index >= topic.partitions.length) {
                throw new SpillwayException(
                        Code.INVALID_ARGUMENT,
                        "topic " + topic.spec.name() + " has no partition " + index,
                        "it has " + topic.partitions.length,
                        "give partitions from 0 to " + (topic.partitions.length - 1));
            }
            Partition partition = topic.partitions[index];
            long from = startOf(partition, command, isFollower);
            places.add(new StreamReader.Place(partition, state.log.cursor(partition.id), from));
        }
        Member credit = new Member(nextMemberId++, Integer.MAX_VALUE, 0, 0);
        StreamReader reader = new StreamReader(topic, command.port(), credit, places, command.filter());
        topic.readers.add(reader);
        subscribers.put(command.port(), reader);
        command.reply().ok(new ShardCommand.Subscribed(credit.id(), wanted, 0, true));
    }

    /** Nobody would end it: it would hold records for nobody until the broker ends. */
    private static void requireHere(SubscriberPort port) {
        if (port.isGone()) {
            throw new SpillwayException(
                    Code.WRONG_STATE,
                    "the subscription was ended before it began",
                    "its client unsubscribed or left while it waited for its turn",
                    "nothing; subscribe again if it is still wanted");
        }
    }

    private long startOf(Partition partition, ShardCommand.SubscribeStream command, boolean isFollower) {
        Start start = command.start();
        for (Start own : command.starts()) {
            if (own.getPartition() == partition.index) {
                start = own;
            }
        }
        boolean isAhead = start.getKind() == GroupAdministration.START_OFFSET
                && start.getPartition() == partition.index
                && start.getOffset() > partition.visibleEnd;
        return isFollower && isAhead
                ? start.getOffset()
                : groups.target(partition, start, state.log.startOffset(partition.id));
    }

    void grant(ShardCommand.Grant command) {
        Subscriber subscriber = subscribers.get(command.port());
        if (subscriber != null) {
            subscriber.grant(command.maxBatches(), command.maxBytes(), command.paused());
            subscriber.topic().ready();
        }
    }

    /** A member said how it is. */
    void report(ShardCommand.Health command, long nowMs) {
        if (subscribers.get(command.port()) instanceof GroupMember member) {
            member.group.members.report(member.member, command.report(), nowMs);
            handOffs.look(member.group, nowMs);
            member.group.topic.ready();
        }
    }

    /** Looks after the members' health as time passes. */
    void tick(Group group, long nowMs) {
        if (group.parent != null) {
            return;
        }
        if (group.members.tick(nowMs)) {
            handOffs.look(group, nowMs);
            group.topic.ready();
        }
        handOffs.tick(group, nowMs);
    }

    /** The connection takes more again. */
    void writable(SubscriberPort port) {
        Subscriber subscriber = subscribers.get(port);
        if (subscriber != null) {
            subscriber.unblock();
            subscriber.topic().ready();
        }
    }

    void settle(ShardCommand.Settle command, long nowMs) {
        if (subscribers.get(command.port()) instanceof GroupMember member) {
            settling.settle(command, member, nowMs);
        } else {
            command.reply()
                    .failed(new SpillwayException(
                            Code.INVALID_ARGUMENT,
                            "an ack came for a subscription that has no group",
                            "stream readers keep their own offset; there is nothing to ack",
                            "do not ack messages of a stream"));
        }
    }

    void end(ShardCommand.Unsubscribe command, long nowMs) {
        Subscriber subscriber = subscribers.remove(command.port());
        if (subscriber != null) {
            remove(subscriber, nowMs);
        }
        if (command.reply() != null) {
            command.reply().ok(true);
        }
    }

    private void remove(Subscriber subscriber, long nowMs) {
        if (subscriber instanceof GroupMember member) {
            leave(member, nowMs);
        } else if (subscriber instanceof StreamReader reader) {
            reader.gone = true;
            reader.topic.readers.remove(reader);
        }
        subscriber.topic().ready();
    }

    /** What a member held goes back to its group; the next one of an EXCLUSIVE group is told when it was the active one. */
    private void leave(GroupMember leaver, long nowMs) {
        Group group = leaver.group;
        boolean hadTurn = group.isActive(leaver.member) || (group.handingOver && leaver.drainUntilMs > 0);
        group.members.remove(leaver.member.id());
        group.ports.remove(leaver.member.id());
        release(group, leaver);
        group.lanes.forEach(lane -> release(lane, leaver));
        group.left(leaver.member);
        handOffs.left(group, leaver, hadTurn, nowMs);
    }

    private static void release(Group group, GroupMember leaver) {
        for (Group.Place place : group.places) {
            place.state.releaseMember(leaver.member.id());
        }
    }

    /** Ends the subscriptions of topics that were deleted. */
    int endDeleted() {
        int ended = 0;
        for (TopicState topic : state.deletedTopics) {
            SpillwayException why = new SpillwayException(
                    Code.TOPIC_NOT_FOUND,
                    "topic " + topic.spec.name() + " was deleted",
                    "an operator deleted it",
                    "stop consuming, or create it again");
            for (Subscriber subscriber : List.copyOf(subscribers.values())) {
                if (subscriber.topic() == topic) {
                    subscribers.remove(subscriber.port());
                    subscriber.port().ended(why);
                    ended++;
                }
            }
        }
        state.deletedTopics.clear();
        return ended;
    }

    /** Ends the members of groups whose topics were taken elsewhere; readers go on. */
    int endClosed(long nowMs) {
        int ended = 0;
        for (TopicState topic : state.closedTopics) {
            if (topic.spec.standing().isOpen()) {
                continue;
            }
            for (Subscriber subscriber : List.copyOf(subscribers.values())) {
                if (subscriber instanceof GroupMember member && member.group.topic == topic) {
                    subscribers.remove(subscriber.port());
                    leave(member, nowMs);
                    subscriber.port().ended(topic.spec.refusal());
                    ended++;
                }
            }
        }
        state.closedTopics.clear();
        return ended;
    }

    /** Ends everybody's subscription. */
    void endAll(SpillwayException why) {
        List<Subscriber> all = List.copyOf(subscribers.values());
        subscribers.clear();
        all.forEach(subscriber -> subscriber.port().ended(why));
    }

    /** Forgets everybody, for the end of the shard: the connections were told already. */
    void endAll() {
        subscribers.clear();
    }
}
