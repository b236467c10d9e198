package io.spillway.broker.shard;

import com.google.protobuf.InvalidProtocolBufferException;
import io.netty.buffer.ByteBuf;
import io.spillway.broker.base.SpillwayException;
import io.spillway.broker.log.EntryVisitor;
import io.spillway.broker.log.SnapshotStore;
import io.spillway.broker.log.SyncPoint;
import io.spillway.broker.records.Snapshot;
import io.spillway.broker.records.StateRecords;
import io.spillway.protocol.Code;
import java.io.IOException;
import org.jspecify.annotations.Nullable;

/** Brings a shard's state up from its newest snapshot and the log after it, through the same apply as the live path. */
final class Recovery implements EntryVisitor {
    private final ShardState state;

    private Recovery(ShardState state) {
        this.state = state;
    }

    /** Returns the sequence the snapshot stood at. Everything recovered is forced to disk before anybody may see it. */
    static long run(ShardState state) {
        long from = 0;
        SnapshotStore.Snapshot stored = latest(state);
        if (stored != null) {
            Snapshots.restore(state, parse(stored.bytes()));
            from = stored.sequence();
        }
        // Only shard 0 learns of topics from its own log; what the others replay belongs to topics they must know.
        state.adoptCatalog();
        state.log.replay(from, new Recovery(state));
        state.adoptCatalog();
        for (int partitionId : state.log.partitions()) {
            if (!state.partitions.containsKey(partitionId)) {
                state.log.drop(partitionId);
            }
        }
        force(state);
        state.partitions.values().forEach(partition -> {
            partition.endOffset = Math.max(partition.endOffset, state.log.endOffset(partition.id));
            partition.visibleEnd = partition.endOffset;
            partition.syncedEnd = partition.endOffset;
        });
        return from;
    }

    private static SnapshotStore.@Nullable Snapshot latest(ShardState state) {
        try {
            return state.log.snapshots().latest();
        } catch (IOException e) {
            throw new SpillwayException(
                    Code.STORAGE_ERROR,
                    "the snapshots of shard " + state.shard + " cannot be read",
                    String.valueOf(e.getMessage()),
                    "check the disk and the permissions of the data directory",
                    0,
                    e);
        }
    }

    private static Snapshot parse(byte[] bytes) {
        try {
            return Snapshot.parseFrom(bytes);
        } catch (InvalidProtocolBufferException e) {
            throw new SpillwayException(
                    Code.STORAGE_ERROR,
                    "a snapshot cannot be read",
                    "its checksum is right but its content is not: " + e.getMessage(),
                    "was it written by a newer version? start that one",
                    0,
                    e);
        }
    }

    private static void force(ShardState state) {
        SyncPoint point = state.log.syncPoint();
        try {
            point.force();
        } catch (IOException e) {
            throw new SpillwayException(
                    Code.STORAGE_ERROR,
                    "the log of shard " + state.shard + " cannot be synced",
                    String.valueOf(e.getMessage()),
                    "check the disk",
                    0,
                    e);
        }
        state.log.markSynced(point);
    }

    @Override
    public void onEntry(long sequence, byte @Nullable [] records, int partitionId, @Nullable ByteBuf batch) {
        if (batch != null) {
            Partition partition = state.partitions.get(partitionId);
            if (partition != null) {
                state.applyBatch(partition, batch, Batches.isKeyed(batch, batch.readerIndex()));
            }
        }
        if (records != null) {
            try {
                state.apply(StateRecords.parseFrom(records));
            } catch (InvalidProtocolBufferException e) {
                throw new SpillwayException(
                        Code.STORAGE_ERROR,
                        "entry " + sequence + " of shard " + state.shard + " cannot be read",
                        "its checksum is right but its content is not: " + e.getMessage(),
                        "was it written by a newer version? start that one",
                        0,
                        e);
            }
        }
    }
}
