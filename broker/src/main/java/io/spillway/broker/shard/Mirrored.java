package io.spillway.broker.shard;

import io.spillway.broker.records.GroupMirrored;
import io.spillway.broker.records.GroupPartitionState;
import io.spillway.broker.records.PartitionMirrored;
import io.spillway.broker.records.StateRecord;

/** Takes up what a link copied beside batches. Confined to the shard thread. */
final class Mirrored {
    private Mirrored() {}

    static void apply(ShardState state, StateRecord record) {
        switch (record.getKindCase()) {
            case PARTITION_MIRRORED -> apply(state, record.getPartitionMirrored());
            case GROUP_MIRRORED -> apply(state, record.getGroupMirrored());
            default -> throw new IllegalArgumentException("not of links: " + record.getKindCase());
        }
    }

    private static void apply(ShardState state, PartitionMirrored record) {
        Partition partition = state.partitions.get(record.getPartitionId());
        if (partition == null) {
            return;
        }
        if (record.getStartOffset() > 0 || record.getEndOffset() > 0) {
            state.log.restoreStart(partition.id, record.getStartOffset(), record.getEndOffset());
            partition.endOffset = Math.max(partition.endOffset, state.log.endOffset(partition.id));
            partition.keys.evictBelow(record.getStartOffset());
        }
        record.getProducersList().forEach(partition.producers::restore);
        record.getNamedList().forEach(named -> partition.named.put(named.getName(), named));
    }

    private static void apply(ShardState state, GroupMirrored record) {
        Group group = state.groups.get(record.getGroupId());
        if (group == null) {
            return;
        }
        for (GroupPartitionState saved : record.getPartitionsList()) {
            Group.Place place = state.place(group.id, saved.getPartitionId());
            if (place != null) {
                place.forget();
                place.dropped = saved.getDropped();
            }
            Snapshots.restore(state, group, saved);
        }
        group.pause = record.hasPause() ? record.getPause() : null;
        group.revision = record.getRevision();
        group.acked = record.getAcked();
        group.deadLettered = record.getDeadLettered();
    }
}
