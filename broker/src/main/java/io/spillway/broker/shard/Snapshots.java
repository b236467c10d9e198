package io.spillway.broker.shard;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.PooledByteBufAllocator;
import io.spillway.broker.catalog.TopicCatalog;
import io.spillway.broker.log.BatchCursor;
import io.spillway.broker.records.FailedRange;
import io.spillway.broker.records.GroupPartitionState;
import io.spillway.broker.records.GroupState;
import io.spillway.broker.records.PartitionState;
import io.spillway.broker.records.Snapshot;

/** Writes a shard's whole state as one message and takes it up again. Confined to the shard thread. */
final class Snapshots {
    /** How long a producer that no longer publishes is remembered, in ms. */
    static final long PRODUCER_IDLE_MS = 7L * 24 * 3600 * 1000;

    private Snapshots() {}

    static Snapshot take(ShardState state, long nowMs) {
        Snapshot.Builder snapshot = Snapshot.newBuilder()
                .setSequence(state.log.nextSequence())
                .setTimeMs(nowMs)
                .setNextGroupId(state.nextGroupId);
        if (state.agreed != ShardState.NOTHING_AGREED) {
            snapshot.setAgreed(state.agreed);
        }
        if (state.shard == 0) {
            TopicCatalog catalog = state.catalog.get();
            catalog.all().forEach(topic -> snapshot.addTopics(topic.toRecord()));
            snapshot.setNextTopicId(catalog.nextTopicId())
                    .setNextPartitionId(catalog.nextPartitionId())
                    .setRevision(catalog.revision());
        }
        state.partitions.values().forEach(partition -> snapshot.addPartitions(take(state, partition, nowMs)));
        for (Group group : state.groups.values()) {
            if (group.parent == null) {
                snapshot.addGroups(take(group));
                group.lanes.forEach(lane -> snapshot.addGroups(take(lane)));
            }
        }
        state.replays.snapshot(snapshot);
        state.links.snapshot(snapshot);
        state.operators.snapshot(snapshot);
        return snapshot.build();
    }

    private static PartitionState take(ShardState state, Partition partition, long nowMs) {
        partition.producers.expire(nowMs - PRODUCER_IDLE_MS);
        partition.keys.evict(nowMs);
        PartitionState.Builder out = PartitionState.newBuilder()
                .setPartitionId(partition.id)
                .setStartOffset(state.log.startOffset(partition.id))
                .setEndOffset(partition.endOffset)
                .addAllNamed(partition.named.values());
        partition.producers.snapshot(out::addProducers);
        if (partition.keys.size() > 0) {
            out.setFirstKeyOffset(partition.keys.oldestOffset()).setKeys(partition.keys.size());
        }
        out.setKeysEvictedToMs(partition.keys.hasEvicted() ? partition.keys.evictedUpToMs() : 0);
        return out.build();
    }

    static GroupState take(Group group) {
        GroupState.Builder out = GroupState.newBuilder()
                .setGroup(group.created)
                .setRevision(group.revision)
                .addAllSnapshots(group.snapshots.values())
                .setAcked(group.acked)
                .setDeadLettered(group.deadLettered);
        if (group.isReplay()) {
            out.setFailures(group.failures);
        }
        if (group.pause != null) {
            out.setPause(group.pause);
        }
        for (Group.Place place : group.places) {
            out.addPartitions(take(place).toBuilder().setDropped(place.dropped));
        }
        return out.build();
    }

    /** What of a place is durable. */
    static GroupPartitionState take(Group.Place place) {
        GroupPartitionState.Builder out = GroupPartitionState.newBuilder()
                .setPartitionId(place.partition.id)
                .setCursor(place.state.cursor());
        place.state.forEachSettled((from, to) -> out.addSettledBounds(from).addSettledBounds(to));
        place.state.forEachFailed((from, to, failures, dueMs, failedBy) ->
                out.addFailed(FailedRanges.of(from, to, failures, dueMs, failedBy)));
        return out.build();
    }

    static void restore(ShardState state, Snapshot snapshot) {
        if (snapshot.hasAgreed()) {
            state.agreedOn(snapshot.getAgreed());
        }
        if (state.shard == 0) {
            state.catalog.set(TopicCatalog.restore(
                    snapshot.getTopicsList(),
                    snapshot.getNextTopicId(),
                    snapshot.getNextPartitionId(),
                    snapshot.getRevision()));
        }
        for (PartitionState partition : snapshot.getPartitionsList()) {
            state.log.restoreStart(partition.getPartitionId(), partition.getStartOffset(), partition.getEndOffset());
        }
        state.adoptCatalog();
        snapshot.getPartitionsList().forEach(partition -> restore(state, partition, snapshot.getTimeMs()));
        snapshot.getGroupsList().forEach(group -> restore(state, group));
        state.nextGroupId = Math.max(state.nextGroupId, snapshot.getNextGroupId());
        state.replays.restore(snapshot);
        state.links.restore(snapshot);
        state.operators.restore(snapshot);
    }

    private static void restore(ShardState state, PartitionState from, long takenMs) {
        Partition partition = state.partitions.get(from.getPartitionId());
        if (partition == null) {
            return;
        }
        partition.endOffset = from.getEndOffset();
        from.getProducersList().forEach(partition.producers::restore);
        from.getNamedList().forEach(named -> partition.named.put(named.getName(), named));
        if (from.hasFirstKeyOffset()) {
            partition.keys.reserve(from.getKeys());
            restoreKeys(state, partition, from.getFirstKeyOffset());
        }
        if (!from.hasKeysEvictedToMs()) {
            partition.keys.evictedBefore(partition.keys.size() > 0 ? partition.keys.oldestAppendTimeMs() : takenMs);
        } else if (from.getKeysEvictedToMs() > 0) {
            partition.keys.evictedBefore(from.getKeysEvictedToMs());
        }
    }

    /** Idempotency keys are not in the snapshot: they are read again from the records that carry them. */
    private static void restoreKeys(ShardState state, Partition partition, long firstOffset) {
        ByteBuf buffer = PooledByteBufAllocator.DEFAULT.directBuffer(64 << 10);
        try {
            BatchCursor cursor = state.log.cursor(partition.id);
            boolean found = cursor.seek(firstOffset);
            while (found && cursor.baseOffset() < partition.endOffset) {
                buffer.clear();
                if (cursor.copyTo(buffer)) {
                    state.rememberKeys(partition, buffer);
                }
                found = cursor.next();
            }
            // The first batch may have begun with keys that were forgotten.
            partition.keys.evictBelow(firstOffset);
        } finally {
            buffer.release();
        }
    }

    private static void restore(ShardState state, GroupState from) {
        state.restoreGroup(from.getGroup());
        Group group = state.groups.get(from.getGroup().getGroupId());
        if (group == null) {
            return;
        }
        group.revision = from.getRevision();
        group.failures = from.getFailures();
        group.pause = from.hasPause() ? from.getPause() : null;
        from.getSnapshotsList().forEach(snapshot -> group.snapshots.put(snapshot.getName(), snapshot));
        group.acked = from.getAcked();
        group.deadLettered = from.getDeadLettered();
        for (GroupPartitionState saved : from.getPartitionsList()) {
            restore(state, group, saved);
            Group.Place place = state.place(group.id, saved.getPartitionId());
            if (place != null) {
                place.dropped = saved.getDropped();
            }
        }
    }

    /** Makes a place what it was. Leases are forgotten. */
    static void restore(ShardState state, Group group, GroupPartitionState saved) {
        Group.Place place = state.place(group.id, saved.getPartitionId());
        if (place == null) {
            return;
        }
        place.state.applySeek(saved.getCursor());
        for (int i = 0; i < saved.getSettledBoundsCount(); i += 2) {
            place.state.applySettled(saved.getSettledBounds(i), saved.getSettledBounds(i + 1));
        }
        for (FailedRange failed : saved.getFailedList()) {
            FailedRanges.apply(failed, place.state);
        }
    }
}
