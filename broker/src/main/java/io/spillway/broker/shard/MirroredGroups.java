package io.spillway.broker.shard;

import io.spillway.broker.records.FailedRange;
import io.spillway.broker.records.GroupCreated;
import io.spillway.broker.records.GroupDeleted;
import io.spillway.broker.records.GroupMirrored;
import io.spillway.broker.records.GroupPartitionState;
import io.spillway.broker.records.GroupPaused;
import io.spillway.broker.records.GroupSnapshotDeleted;
import io.spillway.broker.records.GroupSnapshotState;
import io.spillway.broker.records.GroupSnapshotTaken;
import io.spillway.broker.records.GroupState;
import io.spillway.broker.records.Position;
import io.spillway.broker.records.StateRecord;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * Makes the groups of a copy what those of its source are. What a group has settled beyond the end of the copy counts as not
 * settled, until the records are there. Confined to the shard thread.
 */
final class MirroredGroups {
    /** Ranges kept of a place, so that its record fits an entry; what is beyond counts as not settled. */
    private static final int MOST_RANGES = 40_000;

    private final ShardState state;
    private final Journal journal;

    MirroredGroups(ShardState state, Journal journal) {
        this.state = state;
        this.journal = journal;
    }

    void copy(LinkCommand.Groups command) {
        TopicState topic = state.topic(command.topicId());
        Mirroring.requireFilledBy(topic.spec, command.link());
        Set<String> names = new HashSet<>();
        boolean whole = true;
        for (GroupState group : command.groups()) {
            names.add(group.getGroup().getName());
            whole &= copy(topic, group);
        }
        for (Group group : List.copyOf(topic.groups.values())) {
            if (!names.contains(group.name()) && !group.isReplay()) {
                delete(group);
            }
        }
        journal.whenDurable(journal.lastSequence(), new ReplyWhenDurable<>(whole, command.reply()));
    }

    /** False when the group has settled what is not here yet. */
    private boolean copy(TopicState topic, GroupState source) {
        GroupCreated created = source.getGroup();
        Group group = topic.groups.get(created.getName());
        if (group != null
                && (group.mode() != created.getMode() || group.created.getCreatedMs() != created.getCreatedMs())) {
            delete(group);
            group = null;
        }
        if (group == null || !group.created.getConfigMap().equals(created.getConfigMap())) {
            GroupCreated.Builder record = created.toBuilder()
                    .setGroupId(group == null ? state.nextGroupId : group.id)
                    .setTopicId(topic.spec.topicId())
                    .clearPositions();
            for (Partition partition : topic.partitions) {
                record.addPositions(Position.newBuilder()
                        .setPartitionId(partition.id)
                        .setOffset(state.log.startOffset(partition.id)));
            }
            commit(StateRecord.newBuilder().setGroupCreated(record));
            group = topic.groups.get(created.getName());
        }
        if (group == null) {
            return false;
        }
        copySnapshots(group, source);
        return place(topic, group, source);
    }

    private boolean place(TopicState topic, Group group, GroupState source) {
        boolean whole = true;
        GroupMirrored.Builder wanted = GroupMirrored.newBuilder()
                .setGroupId(group.id)
                .setRevision(source.getRevision())
                .setAcked(source.getAcked())
                .setDeadLettered(source.getDeadLettered());
        if (source.hasPause()) {
            wanted.setPause(source.getPause().toBuilder().setGroupId(group.id));
        }
        for (GroupPartitionState place : source.getPartitionsList()) {
            if (place.getPartitionId() < topic.partitions.length) {
                Partition partition = topic.partitions[place.getPartitionId()];
                whole &= settledUpTo(place) <= partition.endOffset;
                wanted.addPartitions(within(place, partition));
            }
        }
        GroupMirrored record = wanted.build();
        if (!record.equals(present(group))) {
            commit(StateRecord.newBuilder().setGroupMirrored(record));
        }
        return whole;
    }

    private static GroupMirrored present(Group group) {
        GroupMirrored.Builder present = GroupMirrored.newBuilder()
                .setGroupId(group.id)
                .setRevision(group.revision)
                .setAcked(group.acked)
                .setDeadLettered(group.deadLettered);
        GroupPaused pause = group.pause;
        if (pause != null) {
            present.setPause(pause);
        }
        for (Group.Place place : group.places) {
            present.addPartitions(Snapshots.take(place).toBuilder().setDropped(place.dropped));
        }
        return present.build();
    }

    private static long settledUpTo(GroupPartitionState place) {
        int bounds = place.getSettledBoundsCount();
        return bounds == 0 ? place.getCursor() : place.getSettledBounds(bounds - 1);
    }

    /** With the id of here, and nothing beyond the end. */
    private static GroupPartitionState within(GroupPartitionState place, Partition partition) {
        long end = partition.endOffset;
        GroupPartitionState.Builder out = GroupPartitionState.newBuilder()
                .setPartitionId(partition.id)
                .setCursor(Math.min(place.getCursor(), end))
                .setDropped(place.getDropped());
        int bounds = Math.min(place.getSettledBoundsCount(), 2 * MOST_RANGES);
        for (int i = 0; i < bounds && place.getSettledBounds(i) < end; i += 2) {
            out.addSettledBounds(place.getSettledBounds(i))
                    .addSettledBounds(Math.min(place.getSettledBounds(i + 1), end));
        }
        int failed = Math.min(place.getFailedCount(), MOST_RANGES);
        for (int i = 0; i < failed && place.getFailed(i).getFrom() < end; i++) {
            FailedRange range = place.getFailed(i);
            out.addFailed(range.toBuilder().setTo(Math.min(range.getTo(), end)));
        }
        return out.build();
    }

    private void copySnapshots(Group group, GroupState source) {
        Set<String> names = new HashSet<>();
        List<GroupSnapshotState> missing = new ArrayList<>();
        for (GroupSnapshotState snapshot : source.getSnapshotsList()) {
            names.add(snapshot.getName());
            GroupSnapshotState here = group.snapshots.get(snapshot.getName());
            if (here == null || here.getTakenMs() != snapshot.getTakenMs()) {
                missing.add(snapshot);
            }
        }
        for (String name : List.copyOf(group.snapshots.keySet())) {
            if (!names.contains(name)) {
                commit(StateRecord.newBuilder()
                        .setGroupSnapshotDeleted(GroupSnapshotDeleted.newBuilder()
                                .setGroupId(group.id)
                                .setName(name)));
            }
        }
        for (GroupSnapshotState snapshot : missing) {
            GroupSnapshotState.Builder copy = snapshot.toBuilder().clearPartitions();
            for (GroupPartitionState place : snapshot.getPartitionsList()) {
                copy.addPartitions(
                        place.toBuilder().setPartitionId(group.topic.spec.partitionId(place.getPartitionId())));
            }
            commit(StateRecord.newBuilder()
                    .setGroupSnapshotTaken(
                            GroupSnapshotTaken.newBuilder().setGroupId(group.id).setSnapshot(copy)));
        }
    }

    private void delete(Group group) {
        commit(StateRecord.newBuilder()
                .setGroupDeleted(GroupDeleted.newBuilder().setGroupId(group.id)));
    }

    private void commit(StateRecord.Builder record) {
        journal.commit(List.of(record.build()));
    }
}
