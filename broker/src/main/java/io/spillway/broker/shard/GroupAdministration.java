package io.spillway.broker.shard;

import io.spillway.broker.base.SpillwayException;
import io.spillway.broker.catalog.GroupConfig;
import io.spillway.broker.catalog.TopicNames;
import io.spillway.broker.records.GroupCreated;
import io.spillway.broker.records.GroupDeleted;
import io.spillway.broker.records.GroupSought;
import io.spillway.broker.records.Position;
import io.spillway.broker.records.StateRecord;
import io.spillway.protocol.Code;
import io.spillway.protocol.v1.GroupInfo;
import io.spillway.protocol.v1.SeekPartition;
import io.spillway.protocol.v1.SeekResult;
import io.spillway.protocol.v1.Start;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** Creates, alters, seeks and deletes groups. Confined to the shard thread. */
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
    private final GroupDescriptions descriptions;

    GroupAdministration(ShardState state, Journal journal, Settling settling, GroupDescriptions descriptions) {
        this.state = state;
        this.journal = journal;
        this.settling = settling;
        this.descriptions = descriptions;
    }

    /**
     * The group a member joins, created with its settings when it is new. A group that is there keeps its own, which an
     * operator may have altered since this member came first.
     */
    Group join(ShardCommand.SubscribeGroup command, TopicState topic, long nowMs) {
        TopicNames.check("group", command.group());
        Group group = topic.groups.get(command.group());
        if (group == null) {
            commit(created(topic, command.group(), command.mode(), command.start(), command.settings(), nowMs));
        } else if (group.created.getMode() != command.mode()) {
            throw new SpillwayException(
                    Code.WRONG_STATE,
                    "group " + command.group() + " of " + topic.spec.name() + " has another mode",
                    "its mode was set when it was created: " + group.created.getMode() + ", asked: " + command.mode(),
                    "subscribe with the group's mode or use another group");
        } else {
            requireSameFilter(group, group.config().with(command.settings()));
        }
        return group(topic, command.group());
    }

    /** The record that begins a group. */
    GroupCreated.Builder created(
            TopicState topic, String name, int mode, Start start, Map<String, String> settings, long nowMs) {
        GroupCreated.Builder created = GroupCreated.newBuilder()
                .setGroupId(state.nextGroupId)
                .setTopicId(topic.spec.topicId())
                .setName(name)
                .setMode(mode)
                .setCreatedMs(nowMs);
        for (Partition partition : topic.partitions) {
            long offset = target(partition, start, state.log.startOffset(partition.id));
            created.addPositions(position(partition, offset));
        }
        return configured(created, newConfig(settings));
    }

    /** The settings of a new group. */
    GroupConfig newConfig(Map<String, String> settings) {
        return GroupConfig.DEFAULT
                .withMaxDeliveries(state.config.defaultMaxDeliveries())
                .with(settings);
    }

    private static GroupCreated.Builder configured(GroupCreated.Builder created, GroupConfig config) {
        return created.setMaxDeliveries(config.maxDeliveries()).clearConfig().putAllConfig(config.toMap());
    }

    /** Whether these settings were given to the group by the change that followed this revision, as when its answer was lost. */
    static boolean alteredAlready(Group group, Map<String, String> settings, long expectRevision) {
        return group.revision == expectRevision + 1
                && group.config().with(settings).equals(group.config());
    }

    /** Changes what differs. */
    void alter(Group group, Map<String, String> settings) {
        GroupConfig config = group.config().with(settings);
        if (!config.equals(group.config())) {
            commit(configured(group.created.toBuilder(), config));
        }
    }

    private static void requireSameFilter(Group group, GroupConfig wanted) {
        String own = group.config().filter();
        String asked = wanted.filter();
        if (!asked.equals(own)) {
            throw new SpillwayException(
                    Code.WRONG_STATE,
                    "group " + group.name() + " of " + group.topic.spec.name() + " has another filter",
                    "its filter is \"" + own + "\", asked: \"" + asked + "\"; what one member does not want would be "
                            + "lost for the others",
                    "subscribe without a filter or with the group's, or change it: spillway group alter --config "
                            + "filter=...");
        }
    }

    void commit(GroupCreated.Builder created) {
        journal.commit(List.of(StateRecord.newBuilder().setGroupCreated(created).build()));
    }

    private static Position position(Partition partition, long offset) {
        return Position.newBuilder()
                .setPartitionId(partition.id)
                .setOffset(offset)
                .build();
    }

    static Group group(TopicState topic, String name) {
        Group group = topic.groups.get(name);
        if (group == null) {
            throw new SpillwayException(
                    Code.GROUP_NOT_FOUND,
                    "there is no group \"" + name + "\" on topic " + topic.spec.name(),
                    "a group begins with its first member or when it is created",
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

    /** The partition that an offset is in must be there. */
    void requirePartition(TopicState topic, Start start) {
        if (start.getKind() == START_OFFSET) {
            requirePartition(topic, start.getPartition());
        }
    }

    void requirePartition(TopicState topic, int partition) {
        if (partition < 0 || partition >= topic.partitions.length) {
            throw new SpillwayException(
                    Code.INVALID_ARGUMENT,
                    "topic " + topic.spec.name() + " has no partition " + partition,
                    "it has " + topic.partitions.length,
                    "give one from 0 to " + (topic.partitions.length - 1));
        }
    }

    void seek(ShardCommand.Seek command) {
        TopicState topic = state.topic(command.topicId());
        Group group = group(topic, command.group());
        requireRevision(group, command.expectRevision());
        requirePartition(topic, command.to());
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
        left.forEach(place -> settling.moved(group, place));
        long sequence = journal.commit(
                List.of(StateRecord.newBuilder().setGroupSought(sought).build()));
        journal.whenDurable(
                sequence, new ReplyWhenDurable<>(result.setRevision(revision).build(), command.reply()));
    }

    /** @param expected 0 = any */
    static void requireRevision(Group group, long expected) {
        if (expected != 0 && expected != group.revision) {
            throw new SpillwayException(
                    Code.REVISION_MISMATCH,
                    "group " + group.name() + " has revision " + group.revision + ", not " + expected,
                    "it was moved since you read it",
                    "read it again and decide: spillway group describe");
        }
    }

    /** Deletes a group without members. */
    void delete(ShardCommand.DeleteGroup command) {
        Group group = group(state.topic(command.topicId()), command.group());
        if (!group.lanes.isEmpty()) {
            throw new SpillwayException(
                    Code.WRONG_STATE,
                    "group " + command.group() + " cannot be deleted now",
                    "replay " + group.lanes.get(0).created.getReplayId() + " delivers to it",
                    "wait for it, or cancel it: spillway replay cancel "
                            + group.lanes.get(0).created.getReplayId());
        }
        if (group.members.size() > 0) {
            throw new SpillwayException(
                    Code.INVALID_ARGUMENT,
                    "group " + command.group() + " has " + group.members.size() + " members",
                    "only a group without members can be deleted",
                    "stop its consumers first");
        }
        GroupInfo info = descriptions.of(group);
        long sequence = journal.commit(List.of(StateRecord.newBuilder()
                .setGroupDeleted(GroupDeleted.newBuilder().setGroupId(group.id))
                .build()));
        journal.whenDurable(sequence, new ReplyWhenDurable<>(info, command.reply()));
    }
}
