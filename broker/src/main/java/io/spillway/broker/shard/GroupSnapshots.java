package io.spillway.broker.shard;

import io.spillway.broker.base.SpillwayException;
import io.spillway.broker.catalog.TopicNames;
import io.spillway.broker.records.GroupPartitionState;
import io.spillway.broker.records.GroupRestored;
import io.spillway.broker.records.GroupSnapshotDeleted;
import io.spillway.broker.records.GroupSnapshotState;
import io.spillway.broker.records.GroupSnapshotTaken;
import io.spillway.broker.records.StateRecord;
import io.spillway.protocol.Code;
import io.spillway.protocol.v1.GroupPartition;
import io.spillway.protocol.v1.GroupSnapshot;
import java.util.List;

/**
 * Keeps what a group has settled under a name, and makes the group exactly that again. Retention does not wait for a
 * snapshot: a group that is restored to where records are gone begins at the first that is there. Confined to the shard
 * thread.
 */
final class GroupSnapshots {
    static final int MAX_PER_GROUP = 16;
    static final int MAX_BYTES = 1 << 20;

    private final ShardState state;
    private final Journal journal;
    private final Settling settling;

    GroupSnapshots(ShardState state, Journal journal, Settling settling) {
        this.state = state;
        this.journal = journal;
        this.settling = settling;
    }

    GroupSnapshot take(Group group, String name, String reason, long nowMs) {
        TopicNames.check("snapshot", name);
        if (group.snapshots.containsKey(name)) {
            throw new SpillwayException(
                    Code.ALREADY_EXISTS,
                    "group " + group.name() + " of " + group.topic.spec.name() + " has a snapshot \"" + name
                            + "\" already",
                    "a snapshot is never replaced",
                    "choose another name, or delete the old one");
        }
        if (group.snapshots.size() >= MAX_PER_GROUP) {
            throw new SpillwayException(
                    Code.WRONG_STATE,
                    "group " + group.name() + " of " + group.topic.spec.name() + " has " + MAX_PER_GROUP + " snapshots",
                    "that is the most a group may have: " + String.join(", ", group.snapshots.keySet()),
                    "delete one first");
        }
        settling.flush();
        GroupSnapshotState.Builder taken =
                GroupSnapshotState.newBuilder().setName(name).setTakenMs(nowMs).setReason(reason);
        for (Group.Place place : group.places) {
            taken.addPartitions(Snapshots.take(place));
        }
        GroupSnapshotState snapshot = taken.build();
        requireSmall(group, snapshot);
        journal.commit(List.of(StateRecord.newBuilder()
                .setGroupSnapshotTaken(
                        GroupSnapshotTaken.newBuilder().setGroupId(group.id).setSnapshot(snapshot))
                .build()));
        return show(group, snapshot);
    }

    private static void requireSmall(Group group, GroupSnapshotState snapshot) {
        int bytes = snapshot.getSerializedSize();
        if (bytes > MAX_BYTES) {
            throw new SpillwayException(
                    Code.TOO_LARGE,
                    "a snapshot of group " + group.name() + " of " + group.topic.spec.name() + " would take " + bytes
                            + " bytes",
                    "a snapshot has at most " + MAX_BYTES + ": too much was settled out of order or has failed",
                    "take it when the group has caught up");
        }
    }

    /** Leases end, failures and settled records are those of the snapshot, and the revision rises. */
    GroupSnapshot restore(Group group, String name, String reason) {
        GroupSnapshotState snapshot = get(group, name);
        settling.flush();
        for (Group.Place place : group.places) {
            settling.moved(group, place);
        }
        journal.commit(List.of(StateRecord.newBuilder()
                .setGroupRestored(GroupRestored.newBuilder()
                        .setGroupId(group.id)
                        .setName(name)
                        .setReason(reason)
                        .setRevision(group.revision + 1))
                .build()));
        return show(group, snapshot);
    }

    List<GroupSnapshot> list(Group group) {
        return group.snapshots.values().stream()
                .map(snapshot -> show(group, snapshot))
                .toList();
    }

    GroupSnapshot delete(Group group, String name) {
        GroupSnapshot shown = show(group, get(group, name));
        journal.commit(List.of(StateRecord.newBuilder()
                .setGroupSnapshotDeleted(
                        GroupSnapshotDeleted.newBuilder().setGroupId(group.id).setName(name))
                .build()));
        return shown;
    }

    private static GroupSnapshotState get(Group group, String name) {
        GroupSnapshotState snapshot = group.snapshots.get(name);
        if (snapshot == null) {
            throw new SpillwayException(
                    Code.NOT_FOUND,
                    "group " + group.name() + " of " + group.topic.spec.name() + " has no snapshot \"" + name + "\"",
                    group.snapshots.isEmpty() ? "it has none" : "it has " + String.join(", ", group.snapshots.keySet()),
                    "take one: spillway group snapshot " + group.topic.spec.name() + " " + group.name() + " " + name);
        }
        return snapshot;
    }

    /** A snapshot as clients see it. A cursor is shown no lower than where the log begins by now. */
    private GroupSnapshot show(Group group, GroupSnapshotState snapshot) {
        GroupSnapshot.Builder shown = GroupSnapshot.newBuilder()
                .setName(snapshot.getName())
                .setTakenUnixMs(snapshot.getTakenMs())
                .setReason(snapshot.getReason());
        for (GroupPartitionState saved : snapshot.getPartitionsList()) {
            Group.Place place = state.place(group.id, saved.getPartitionId());
            if (place != null) {
                shown.addPartitions(show(place.partition, saved));
            }
        }
        return shown.build();
    }

    private GroupPartition show(Partition partition, GroupPartitionState saved) {
        long start = state.log.startOffset(partition.id);
        long cursor = Math.max(saved.getCursor(), start);
        long above = 0;
        for (int i = 0; i < saved.getSettledBoundsCount(); i += 2) {
            above += Math.max(0, saved.getSettledBounds(i + 1) - Math.max(saved.getSettledBounds(i), cursor));
        }
        long failed = saved.getFailedList().stream()
                .mapToLong(range -> Math.max(0, range.getTo() - Math.max(range.getFrom(), cursor)))
                .sum();
        return GroupPartition.newBuilder()
                .setPartition(partition.index)
                .setCursor(cursor)
                .setAckedAbove(above)
                .setWaitingRetry(failed)
                .setEndOffset(partition.visibleEnd)
                .setBacklog(Math.max(0, partition.visibleEnd - cursor - above))
                .setDropped(cursor - saved.getCursor())
                .build();
    }
}
