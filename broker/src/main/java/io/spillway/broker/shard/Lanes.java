package io.spillway.broker.shard;

import io.spillway.broker.base.SpillwayException;
import io.spillway.broker.catalog.TopicNames;
import io.spillway.broker.records.GroupCreated;
import io.spillway.broker.records.GroupDeleted;
import io.spillway.broker.records.GroupPaused;
import io.spillway.broker.records.GroupSettled;
import io.spillway.broker.records.GroupSought;
import io.spillway.broker.records.Position;
import io.spillway.broker.records.StateRecord;
import io.spillway.broker.subscription.SubscriptionState;
import io.spillway.protocol.Code;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Groups that replays make: bounded, rated, and held back until everything but the records meant is settled in them. A side
 * lane belongs to a live group and delivers to its members beside its live records, whose cursor and order it leaves
 * alone. Confined to the shard thread.
 */
final class Lanes {
    private static final int MOST_PER_GROUP = 4;
    /** Beyond this, what is settled ahead would be forgotten. */
    private static final long MOST_OFFSETS = SubscriptionState.MAX_SPAN - 1;

    private static final String HELD = "REPLAY: held back by its job";

    private final ShardState state;
    private final Journal journal;
    private final GroupAdministration groups;
    private final Settling settling;

    Lanes(ShardState state, Journal journal, GroupAdministration groups, Settling settling) {
        this.state = state;
        this.journal = journal;
        this.groups = groups;
        this.settling = settling;
    }

    void open(ReplayCommand.OpenLane command, long nowMs) {
        if (find(command.jobId()) != null) {
            command.reply().ok(false);
            return;
        }
        TopicState topic = state.topic(command.topicId());
        for (ReplayCommand.Span span : command.spans()) {
            requireSpan(topic, span);
        }
        GroupCreated.Builder created = command.isNew() ? newGroup(topic, command) : sideLane(topic, command);
        created.setGroupId(state.nextGroupId)
                .setTopicId(topic.spec.topicId())
                .setName(command.group())
                .setCreatedMs(nowMs)
                .setReplayId(command.jobId())
                .setRate(command.rate());
        for (Partition partition : topic.partitions) {
            long from = partition.visibleEnd;
            long to = partition.visibleEnd;
            for (ReplayCommand.Span span : command.spans()) {
                if (span.partition() == partition.index) {
                    from = span.from();
                    to = span.to();
                }
            }
            created.addPositions(position(partition, from)).addUntil(position(partition, to));
        }
        reply(
                journal.commit(List.of(
                        StateRecord.newBuilder().setGroupCreated(created).build(),
                        paused(created.getGroupId(), true, nowMs))),
                command.reply());
    }

    private void requireSpan(TopicState topic, ReplayCommand.Span span) {
        state.requireKept(topic, topic.partitions[span.partition()].id, span.from());
        if (span.to() - span.from() > MOST_OFFSETS) {
            throw new SpillwayException(
                    Code.INVALID_ARGUMENT,
                    "the plan is too wide to be delivered to a group",
                    "it spans " + (span.to() - span.from()) + " offsets of " + topic.partitions[span.partition()]
                            + ", at most " + MOST_OFFSETS + " can be kept apart",
                    "narrow it and replay in parts, or copy it to a topic");
        }
    }

    private GroupCreated.Builder newGroup(TopicState topic, ReplayCommand.OpenLane command) {
        TopicNames.check("group", command.group());
        if (topic.groups.containsKey(command.group())) {
            throw new SpillwayException(
                    Code.ALREADY_EXISTS,
                    "there is a group \"" + command.group() + "\" on topic " + topic.spec.name() + " already",
                    "the replay makes its own",
                    "choose another name, or deliver beside its records: --target group:" + command.group());
        }
        return GroupCreated.newBuilder()
                .setMode(Group.SHARED)
                .putAllConfig(groups.newConfig(Map.of()).toMap());
    }

    private static GroupCreated.Builder sideLane(TopicState topic, ReplayCommand.OpenLane command) {
        Group parent = GroupAdministration.group(topic, command.group());
        if (parent.lanes.size() >= MOST_PER_GROUP) {
            throw new SpillwayException(
                    Code.WRONG_STATE,
                    "group " + command.group() + " has " + parent.lanes.size() + " replays already",
                    "that is the most at a time",
                    "wait for one, or cancel one: spillway replay list");
        }
        return parent.created.toBuilder().clearPositions().clearUntil().setParentGroupId(parent.id);
    }

    private static Position position(Partition partition, long offset) {
        return Position.newBuilder()
                .setPartitionId(partition.id)
                .setOffset(offset)
                .build();
    }

    private static StateRecord paused(int groupId, boolean paused, long nowMs) {
        return StateRecord.newBuilder()
                .setGroupPaused(GroupPaused.newBuilder()
                        .setGroupId(groupId)
                        .setPaused(paused)
                        .setReason(paused ? HELD : "")
                        .setTimeMs(nowMs))
                .build();
    }

    private void reply(long sequence, Reply<Boolean> reply) {
        journal.whenDurable(sequence, new ReplyWhenDurable<>(true, reply));
    }

    private @Nullable Group find(String jobId) {
        for (Group group : state.groups.values()) {
            if (group.created.getReplayId().equals(jobId)) {
                return group;
            }
        }
        return null;
    }

    private Group lane(String jobId) {
        Group lane = find(jobId);
        if (lane == null) {
            throw new SpillwayException(
                    Code.NOT_FOUND,
                    "the group of replay " + jobId + " is gone",
                    "it, or the group it belongs to, was deleted",
                    "start the plan again");
        }
        return lane;
    }

    void skip(ReplayCommand.SkipInLane command) {
        Group lane = lane(command.jobId());
        GroupSettled.Builder settled = GroupSettled.newBuilder()
                .setGroupId(lane.id)
                .setPartitionId(lane.places[command.partition()].partition.id);
        for (long bound : command.bounds()) {
            settled.addBounds(bound);
        }
        reply(
                journal.commit(List.of(
                        StateRecord.newBuilder().setGroupSettled(settled).build())),
                command.reply());
    }

    void set(ReplayCommand.SetLane command, long nowMs) {
        Group lane = lane(command.jobId());
        if (lane.paused() != command.active()) {
            command.reply().ok(false);
            return;
        }
        long sequence = journal.commit(List.of(paused(lane.id, !command.active(), nowMs)));
        lane.topic.ready();
        reply(sequence, command.reply());
    }

    void close(ReplayCommand.CloseLane command) {
        Group lane = find(command.jobId());
        if (lane == null) {
            command.reply().ok(false);
            return;
        }
        reply(close(lane), command.reply());
    }

    private long close(Group lane) {
        settling.flush();
        for (Group.Place place : lane.places) {
            place.state.forEachLease(lease -> settling.ended(lane, lease));
        }
        // Who held its records has room for live ones.
        lane.topic.ready();
        if (lane.parent != null) {
            return journal.commit(List.of(deleted(lane)));
        }
        GroupSought.Builder end = GroupSought.newBuilder()
                .setGroupId(lane.id)
                .setReason("replay " + lane.created.getReplayId() + " has ended")
                .setRevision(lane.revision + 1);
        for (Group.Place place : lane.places) {
            end.addPositions(position(place.partition, Math.max(place.state.cursor(), place.until)));
        }
        return journal.commit(
                List.of(StateRecord.newBuilder().setGroupSought(end).build()));
    }

    private static StateRecord deleted(Group lane) {
        return StateRecord.newBuilder()
                .setGroupDeleted(GroupDeleted.newBuilder().setGroupId(lane.id))
                .build();
    }

    /** Removes side lanes of jobs that are not there any more. */
    void keepOnly(Set<String> jobIds) {
        List<Group> left = new ArrayList<>();
        for (Group group : state.groups.values()) {
            if (group.parent != null && !jobIds.contains(group.created.getReplayId())) {
                left.add(group);
            }
        }
        left.forEach(this::close);
    }

    ReplayCommand.LaneFigures describe(ReplayCommand.DescribeLane command) {
        Group lane = lane(command.jobId());
        long open = 0;
        long out = 0;
        for (Group.Place place : lane.places) {
            open += Math.max(0, place.until - place.state.cursor() - place.state.settledAbove());
            out += place.state.inFlight() + place.state.waitingRetry();
        }
        return new ReplayCommand.LaneFigures(
                open,
                Math.min(open, Math.max(0, out)),
                lane.failures + lane.deadLettered,
                lane.deadLettered,
                lane.parent == null ? 0 : backlog(lane.parent),
                !lane.paused(),
                held(lane));
    }

    private static long backlog(Group group) {
        long backlog = 0;
        for (Group.Place place : group.places) {
            backlog += Math.max(0, place.partition.visibleEnd - place.state.cursor() - place.state.settledAbove());
        }
        return backlog;
    }

    private static String held(Group lane) {
        if (lane.pause != null) {
            return lane.pause.getReason();
        }
        Group parent = lane.parent;
        if (parent != null && parent.pause != null) {
            return "group " + parent.name() + " is paused: " + parent.pause.getReason();
        }
        return lane.members.size() == 0 ? "group " + lane.name() + " has no members" : "";
    }
}
