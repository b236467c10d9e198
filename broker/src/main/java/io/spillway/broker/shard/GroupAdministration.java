package io.spillway.broker.shard;

import io.spillway.broker.base.SpillwayException;
import io.spillway.broker.catalog.TopicNames;
import io.spillway.broker.records.GroupCreated;
import io.spillway.broker.records.GroupDeleted;
import io.spillway.broker.records.GroupSought;
import io.spillway.broker.records.Position;
import io.spillway.broker.records.StateRecord;
import io.spillway.protocol.Code;
import io.spillway.protocol.v1.GroupInfo;
import io.spillway.protocol.v1.GroupPartition;
import io.spillway.protocol.v1.SeekPartition;
import io.spillway.protocol.v1.SeekResult;
import io.spillway.protocol.v1.Start;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Creates, describes, seeks and deletes groups. Confined to the shard thread. */
final class GroupAdministration {
    /** Wire numbers of Start.kind. */
    static final int START_GROUP = 0;

    static final int START_EARLIEST = 1;
    static final int START_LATEST = 2;
    static final int START_OFFSET = 3;
    static final int START_TIME = 4;

    private final ShardState state;
    private final Journal journal;
    private final Settling settling;

    GroupAdministration(ShardState state, Journal journal, Settling settling) {
        this.state = state;
        this.journal = journal;
        this.settling = settling;
    }

    /** The group a member joins, created when it is new; a number of deliveries that differs from the group's replaces it. */
    Group join(ShardCommand.SubscribeGroup command, TopicState topic, long nowMs) {
        TopicNames.check("group", command.group());
        Group group = topic.groups.get(command.group());
        int maxDeliveries = command.maxDeliveries();
        if (group == null) {
            GroupCreated.Builder created = GroupCreated.newBuilder()
                    .setGroupId(state.nextGroupId)
                    .setTopicId(topic.spec.topicId())
                    .setName(command.group())
                    .setMode(command.mode())
                    .setCreatedMs(nowMs)
                    .setMaxDeliveries(maxDeliveries > 0 ? maxDeliveries : state.config.defaultMaxDeliveries());
            for (Partition partition : topic.partitions) {
                long offset = target(partition, command.start(), state.log.startOffset(partition.id));
                created.addPositions(position(partition, offset));
            }
            commit(created);
        } else if (group.created.getMode() != command.mode()) {
            throw new SpillwayException(
                    Code.INVALID_ARGUMENT,
                    "group " + command.group() + " of " + topic.spec.name() + " has another mode",
                    "its mode was set when it was created: " + group.created.getMode() + ", asked: " + command.mode(),
                    "subscribe with the group's mode or use another group");
        } else if (maxDeliveries > 0 && maxDeliveries != group.maxDeliveries()) {
            commit(group.created.toBuilder().setMaxDeliveries(maxDeliveries));
        }
        return group(topic, command.group());
    }

    private void commit(GroupCreated.Builder created) {
        journal.commit(List.of(StateRecord.newBuilder().setGroupCreated(created).build()));
    }

    private static Position position(Partition partition, long offset) {
        return Position.newBuilder()
                .setPartitionId(partition.id)
                .setOffset(offset)
                .build();
    }

    Group group(TopicState topic, String name) {
        Group group = topic.groups.get(name);
        if (group == null) {
            throw new SpillwayException(
                    Code.GROUP_NOT_FOUND,
                    "there is no group \"" + name + "\" on topic " + topic.spec.name(),
                    "a group begins with its first member",
                    "look at the topic's groups: spillway group list --topic " + topic.spec.name());
        }
        return group;
    }

    /** Where a start points in one partition; {@code unchanged} when it does not speak of it. */
    long target(Partition partition, Start start, long unchanged) {
        return switch (start.getKind()) {
            case START_GROUP -> unchanged;
            case START_EARLIEST -> state.log.startOffset(partition.id);
            case START_LATEST -> partition.visibleEnd;
            case START_TIME -> Math.min(state.log.offsetAtTime(partition.id, start.getUnixMs()), partition.visibleEnd);
            case START_OFFSET -> start.getPartition() == partition.index ? checked(partition, start) : unchanged;
            default ->
                throw new SpillwayException(
                        Code.INVALID_ARGUMENT,
                        "unknown start kind " + start.getKind(),
                        "this broker knows 0 to 4",
                        "use group, earliest, latest, offset or time");
        };
    }

    private long checked(Partition partition, Start start) {
        long earliest = state.log.startOffset(partition.id);
        if (start.getOffset() < earliest || start.getOffset() > partition.visibleEnd) {
            throw new SpillwayException(
                    Code.POSITION_OUT_OF_RANGE,
                    "offset " + start.getOffset() + " of " + partition + " is out of range",
                    "the partition holds " + earliest + " up to " + partition.visibleEnd,
                    "give an offset in that range, or earliest or latest");
        }
        return start.getOffset();
    }

    void seek(ShardCommand.Seek command) {
        TopicState topic = state.topic(command.topicId());
        Group group = group(topic, command.group());
        if (command.expectRevision() != 0 && command.expectRevision() != group.revision) {
            throw new SpillwayException(
                    Code.REVISION_MISMATCH,
                    "group " + command.group() + " has revision " + group.revision + ", not "
                            + command.expectRevision(),
                    "it was moved since you read it",
                    "read it again and decide: spillway group describe");
        }
        if (command.to().getKind() == START_OFFSET
                && (command.to().getPartition() < 0 || command.to().getPartition() >= topic.partitions.length)) {
            throw new SpillwayException(
                    Code.INVALID_ARGUMENT,
                    "topic " + topic.spec.name() + " has no partition "
                            + command.to().getPartition(),
                    "it has " + topic.partitions.length,
                    "give one from 0 to " + (topic.partitions.length - 1));
        }
        settling.flush();
        long revision = group.revision + 1;
        SeekResult.Builder result = SeekResult.newBuilder().setApplied(!command.dryRun());
        GroupSought.Builder sought = GroupSought.newBuilder()
                .setGroupId(group.id)
                .setReason(command.reason())
                .setRevision(revision);
        List<Group.Place> left = new ArrayList<>();
        for (Group.Place place : group.places) {
            long from = place.state.cursor();
            long to = target(place.partition, command.to(), from);
            result.addPartitions(SeekPartition.newBuilder()
                    .setPartition(place.partition.index)
                    .setFrom(from)
                    .setTo(to)
                    .setEnd(place.partition.visibleEnd));
            boolean meant = command.to().getKind() != START_GROUP
                    && (command.to().getKind() != START_OFFSET || command.to().getPartition() == place.partition.index);
            if (meant) {
                sought.addPositions(position(place.partition, to));
                left.add(place);
            }
        }
        if (command.dryRun()) {
            command.reply().ok(result.setRevision(group.revision).build());
            return;
        }
        // Before the commit, which ends the leases of the places that are left.
        left.forEach(place -> place.state.forEachLease(lease -> settling.ended(group, lease)));
        long sequence = journal.commit(
                List.of(StateRecord.newBuilder().setGroupSought(sought).build()));
        journal.whenSynced(
                sequence, new ReplyWhenSynced<>(result.setRevision(revision).build(), command.reply()));
    }

    List<GroupInfo> describe(TopicState topic, @Nullable String name) {
        if (name != null) {
            return List.of(info(group(topic, name)));
        }
        List<GroupInfo> infos = new ArrayList<>();
        topic.groups.values().forEach(group -> infos.add(info(group)));
        return infos;
    }

    private GroupInfo info(Group group) {
        GroupInfo.Builder info = GroupInfo.newBuilder()
                .setTopic(group.topic.spec.name())
                .setGroup(group.name())
                .setMode(group.created.getMode())
                .setMembers(group.members.size())
                .setRevision(group.revision)
                .setMaxDeliveries(group.maxDeliveries())
                .setCreatedUnixMs(group.created.getCreatedMs());
        for (Group.Place place : group.places) {
            long cursor = Math.max(place.state.cursor(), state.log.startOffset(place.partition.id));
            info.addPartitions(GroupPartition.newBuilder()
                    .setPartition(place.partition.index)
                    .setCursor(cursor)
                    .setAckedAbove(place.state.settledAbove())
                    .setInFlight(place.state.inFlight())
                    .setWaitingRetry(place.state.waitingRetry())
                    .setEndOffset(place.partition.visibleEnd)
                    .setBacklog(Math.max(0, place.partition.visibleEnd - cursor - place.state.settledAbove())));
        }
        return info.build();
    }

    /** Deletes a group without members. */
    void delete(ShardCommand.DeleteGroup command) {
        Group group = group(state.topic(command.topicId()), command.group());
        if (group.members.size() > 0) {
            throw new SpillwayException(
                    Code.INVALID_ARGUMENT,
                    "group " + command.group() + " has " + group.members.size() + " members",
                    "only a group without members can be deleted",
                    "stop its consumers first");
        }
        GroupInfo info = info(group);
        long sequence = journal.commit(List.of(StateRecord.newBuilder()
                .setGroupDeleted(GroupDeleted.newBuilder().setGroupId(group.id))
                .build()));
        journal.whenSynced(sequence, new ReplyWhenSynced<>(info, command.reply()));
    }
}
