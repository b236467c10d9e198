package io.spillway.broker.shard;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.PooledByteBufAllocator;
import io.spillway.broker.base.SpillwayException;
import io.spillway.broker.log.BatchCursor;
import io.spillway.broker.records.GroupPartitionState;
import io.spillway.broker.records.GroupSnapshotState;
import io.spillway.broker.records.GroupState;
import io.spillway.broker.records.PartitionMirrored;
import io.spillway.protocol.Code;
import io.spillway.protocol.v1.LinkPosition;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/** Hands out what links of other clusters copy from here. Changes nothing. Confined to the shard thread. */
final class LinkSource {
    /** Of producers, of one partition in one answer, so that it fits a header: batches tell most of it, and keys the rest. */
    private static final int MOST_BESIDE_BYTES = 512 << 10;

    private final ShardState state;
    private final Journal journal;
    private final Settling settling;
    private final Runnable endClosed;

    LinkSource(ShardState state, Journal journal, Settling settling, Runnable endClosed) {
        this.state = state;
        this.journal = journal;
        this.settling = settling;
        this.endClosed = endClosed;
    }

    LinkCommand.Fetched fetch(LinkCommand.Fetch command) {
        TopicState topic = state.topic(command.topicId());
        for (LinkPosition position : command.positions()) {
            require(topic, position);
        }
        ByteBuf out = PooledByteBufAllocator.DEFAULT.directBuffer();
        try {
            List<LinkCommand.FetchedPartition> fetched = new ArrayList<>();
            int beside = 0;
            for (LinkPosition position : command.positions()) {
                Partition partition = topic.partitions[position.getPartition()];
                LinkCommand.FetchedPartition read = fetch(partition, position.getOffset(), command.maxBytes(), out);
                fetched.add(read);
                beside += read.beside().getSerializedSize();
                if (beside > MOST_BESIDE_BYTES / 2) {
                    // The other partitions come with the next answer.
                    break;
                }
            }
            return new LinkCommand.Fetched(fetched, out);
        } catch (RuntimeException e) {
            out.release();
            throw e;
        }
    }

    private static void require(TopicState topic, LinkPosition position) {
        int index = position.getPartition();
        if (index < 0 || index >= topic.partitions.length) {
            throw new SpillwayException(
                    Code.INVALID_ARGUMENT,
                    "topic " + topic.spec.name() + " has no partition " + index,
                    "it has " + topic.partitions.length,
                    "copy those it has");
        }
        Partition partition = topic.partitions[index];
        if (position.getOffset() < 0 || position.getOffset() > partition.visibleEnd) {
            throw new SpillwayException(
                    Code.POSITION_OUT_OF_RANGE,
                    "a copy of " + partition + " goes up to offset " + position.getOffset(),
                    "the topic itself ends at " + partition.visibleEnd + ": it has lost records, or is another one",
                    "find out which of both is right; delete the other one");
        }
    }

    private LinkCommand.FetchedPartition fetch(Partition partition, long offset, int maxBytes, ByteBuf out) {
        long start = state.log.startOffset(partition.id);
        long from = Math.max(offset, start);
        long next = partition.visibleEnd;
        long sinceMs = Long.MAX_VALUE;
        int begin = out.writerIndex();
        BatchCursor cursor = state.log.cursor(partition.id);
        boolean found = cursor.seek(from);
        while (found && cursor.baseOffset() < partition.visibleEnd) {
            if (out.isReadable() && out.readableBytes() + cursor.bytes() > maxBytes) {
                next = Math.max(from, cursor.baseOffset());
                break;
            }
            int at = out.writerIndex();
            sinceMs = Math.min(sinceMs, cursor.appendTimeMs());
            if (!cursor.copyTo(out)) {
                out.writerIndex(at);
            }
            found = cursor.next();
        }
        PartitionMirrored beside =
                next > from ? beside(partition, from, next, sinceMs) : PartitionMirrored.getDefaultInstance();
        long time = next < partition.visibleEnd ? state.log.timeAt(partition.id, next) : 0;
        return new LinkCommand.FetchedPartition(
                partition.index, start, partition.visibleEnd, next, out.writerIndex() - begin, time, beside);
    }

    /** The producers whose batches lie in [from, to), as they were at its end. */
    private static PartitionMirrored beside(Partition partition, long from, long to, long sinceMs) {
        PartitionMirrored.Builder beside = PartitionMirrored.newBuilder();
        Set<Long> ids = new HashSet<>();
        int[] bytes = new int[1];
        partition.producers.storedIn(from, to, sinceMs, producer -> {
            bytes[0] += producer.getSerializedSize();
            if (bytes[0] <= MOST_BESIDE_BYTES) {
                ids.add(producer.getProducerId());
                beside.addProducers(producer);
            }
        });
        partition.named.values().stream()
                .filter(named -> ids.contains(named.getProducerId()))
                .forEach(beside::addNamed);
        return beside.build();
    }

    /** Of a topic that was taken elsewhere once its groups are ended and what they settled is written. */
    void export(LinkCommand.Export command) {
        state.adoptCatalog();
        TopicState topic = state.topic(command.topicId());
        if (!topic.spec.standing().isFenced()) {
            command.reply().ok(exported(topic));
            return;
        }
        endClosed.run();
        settling.flush();
        journal.whenDurable(journal.lastSequence(), new Journal.Waiter() {
            @Override
            public void durable(long durableNs) {
                command.reply().ok(exported(topic));
            }

            @Override
            public void failed(SpillwayException why) {
                command.reply().failed(why);
            }
        });
    }

    private LinkCommand.Exported exported(TopicState topic) {
        boolean last = topic.spec.standing().isFenced();
        List<GroupState> groups = new ArrayList<>();
        for (Group group : topic.groups.values()) {
            if (!group.isReplay()) {
                groups.add(byIndex(Snapshots.take(group), topic.spec.firstPartitionId()));
            }
        }
        List<LinkCommand.FetchedPartition> partitions = new ArrayList<>();
        for (Partition partition : topic.partitions) {
            PartitionMirrored.Builder beside = PartitionMirrored.newBuilder().addAllNamed(partition.named.values());
            if (last) {
                partition.producers.snapshot(beside::addProducers);
            }
            long end = last ? partition.endOffset : partition.visibleEnd;
            partitions.add(new LinkCommand.FetchedPartition(
                    partition.index, state.log.startOffset(partition.id), end, end, 0, 0, beside.build()));
        }
        return new LinkCommand.Exported(groups, partitions);
    }

    /** The same with the partitions' indexes for their ids, which are another cluster's business no more. */
    private static GroupState byIndex(GroupState state, int firstPartitionId) {
        GroupState.Builder out = state.toBuilder().clearPartitions().clearSnapshots();
        out.setGroup(state.getGroup().toBuilder().clearPositions());
        state.getPartitionsList().forEach(partition -> out.addPartitions(byIndex(partition, firstPartitionId)));
        for (GroupSnapshotState snapshot : state.getSnapshotsList()) {
            GroupSnapshotState.Builder copy = snapshot.toBuilder().clearPartitions();
            snapshot.getPartitionsList().forEach(partition -> copy.addPartitions(byIndex(partition, firstPartitionId)));
            out.addSnapshots(copy);
        }
        return out.build();
    }

    private static GroupPartitionState byIndex(GroupPartitionState partition, int firstPartitionId) {
        return partition.toBuilder()
                .setPartitionId(partition.getPartitionId() - firstPartitionId)
                .build();
    }
}
