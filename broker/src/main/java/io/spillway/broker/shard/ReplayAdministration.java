package io.spillway.broker.shard;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.PooledByteBufAllocator;
import io.spillway.broker.log.BatchCursor;
import io.spillway.broker.records.Position;
import io.spillway.broker.records.ReplayHeld;
import io.spillway.broker.records.StateRecord;
import io.spillway.protocol.v1.ReplaySelection;
import io.spillway.protocol.v1.Start;
import java.util.ArrayList;
import java.util.List;

/**
 * What replays need of a shard: their records, the bounds of a selection, batches to read, and that nothing they need is
 * removed. Confined to the shard thread.
 */
final class ReplayAdministration {
    private final ShardState state;
    private final Journal journal;
    private final GroupAdministration groups;
    private final Lanes lanes;

    ReplayAdministration(ShardState state, Journal journal, GroupAdministration groups, Lanes lanes) {
        this.state = state;
        this.journal = journal;
        this.groups = groups;
        this.lanes = lanes;
    }

    /** Throws what refuses the command. */
    void answer(ReplayCommand command, long nowMs) {
        if (command instanceof ReplayCommand.Load load) {
            load.reply()
                    .ok(new ReplayCommand.Kept(
                            List.copyOf(state.replays.plans.values()), List.copyOf(state.replays.jobs.values())));
        } else if (command instanceof ReplayCommand.Keep keep) {
            whenDurable(journal.commit(keep.records()), keep.reply());
        } else if (command instanceof ReplayCommand.Resolve resolve) {
            resolve.reply().ok(resolve(state.topic(resolve.topicId()), resolve.selection()));
        } else if (command instanceof ReplayCommand.Read read) {
            read.reply().ok(read(read));
        } else if (command instanceof ReplayCommand.Hold hold) {
            hold(hold);
        } else if (command instanceof ReplayCommand.KeepOnly only) {
            keepOnly(only);
        } else if (command instanceof ReplayCommand.OpenLane open) {
            state.topic(open.topicId()).spec.requireOpen();
            lanes.open(open, nowMs);
        } else if (command instanceof ReplayCommand.SkipInLane skip) {
            lanes.skip(skip);
        } else if (command instanceof ReplayCommand.SetLane set) {
            lanes.set(set, nowMs);
        } else if (command instanceof ReplayCommand.CloseLane close) {
            lanes.close(close);
        } else if (command instanceof ReplayCommand.DescribeLane describe) {
            describe.reply().ok(lanes.describe(describe));
        }
    }

    private void whenDurable(long sequence, Reply<Boolean> reply) {
        journal.whenDurable(sequence, new ReplyWhenDurable<>(true, reply));
    }

    private List<ReplayCommand.Span> resolve(TopicState topic, ReplaySelection selection) {
        groups.requirePartition(topic, selection.getFrom());
        groups.requirePartition(topic, selection.getTo());
        selection.getPartitionsList().forEach(partition -> groups.requirePartition(topic, partition));
        Group unackedBy = selection.getUnackedBy().isEmpty() ? null : groups.group(topic, selection.getUnackedBy());
        List<ReplayCommand.Span> spans = new ArrayList<>();
        for (Partition partition : topic.partitions) {
            if (!isMeant(partition, selection)) {
                continue;
            }
            long start = state.log.startOffset(partition.id);
            long from = Math.max(start, groups.target(partition, selection.getFrom(), start));
            long to = groups.target(partition, selection.getTo(), partition.visibleEnd);
            if (from < to) {
                long[] settled = unackedBy == null ? new long[0] : settled(unackedBy.places[partition.index], from, to);
                spans.add(new ReplayCommand.Span(partition.index, from, to, settled));
            }
        }
        return spans;
    }

    /** An offset names a partition and leaves out the others. */
    private static boolean isMeant(Partition partition, ReplaySelection selection) {
        List<Integer> named = selection.getPartitionsList();
        return (named.isEmpty() || named.contains(partition.index))
                && reaches(selection.getFrom(), partition)
                && reaches(selection.getTo(), partition);
    }

    private static boolean reaches(Start bound, Partition partition) {
        return bound.getKind() != GroupAdministration.START_OFFSET || bound.getPartition() == partition.index;
    }

    /** What was settled and waits to be written counts as not settled: it costs at most a record more. */
    private static long[] settled(Group.Place place, long from, long to) {
        List<Long> bounds = new ArrayList<>();
        if (place.state.cursor() > from) {
            bounds.add(from);
            bounds.add(Math.min(to, place.state.cursor()));
        }
        place.state.forEachSettled((first, end) -> {
            if (first < to && end > from) {
                bounds.add(Math.max(first, from));
                bounds.add(Math.min(end, to));
            }
        });
        return bounds.stream().mapToLong(Long::longValue).toArray();
    }

    private ReplayCommand.ReadBatches read(ReplayCommand.Read command) {
        Partition partition = state.topic(command.topicId()).partitions[command.partition()];
        BatchCursor cursor = state.log.cursor(partition.id);
        ByteBuf out = PooledByteBufAllocator.DEFAULT.directBuffer(command.maxBytes());
        long next = partition.visibleEnd;
        boolean found = cursor.seek(command.from());
        while (found && cursor.baseOffset() < partition.visibleEnd) {
            if (out.isReadable() && out.readableBytes() + cursor.bytes() > command.maxBytes()) {
                next = cursor.baseOffset();
                break;
            }
            int at = out.writerIndex();
            if (!cursor.copyTo(out)) {
                out.writerIndex(at);
            }
            next = Math.max(command.from(), cursor.endOffset());
            found = cursor.next();
        }
        return new ReplayCommand.ReadBatches(out, found ? next : partition.visibleEnd);
    }

    private void hold(ReplayCommand.Hold command) {
        TopicState topic = state.topic(command.topicId());
        for (Position position : command.from()) {
            state.requireKept(topic, position.getPartitionId(), position.getOffset());
        }
        ReplayHeld held = ReplayHeld.newBuilder()
                .setJobId(command.jobId())
                .addAllFrom(command.from())
                .build();
        if (held.getFromCount() == 0 && !state.replays.holds.containsKey(command.jobId())) {
            command.reply().ok(false);
            return;
        }
        whenDurable(journal.commit(List.of(of(held))), command.reply());
    }

    private static StateRecord of(ReplayHeld held) {
        return StateRecord.newBuilder().setReplayHeld(held).build();
    }

    private void keepOnly(ReplayCommand.KeepOnly command) {
        List<StateRecord> ends = new ArrayList<>();
        for (String jobId : state.replays.holds.keySet()) {
            if (!command.jobIds().contains(jobId)) {
                ends.add(of(ReplayHeld.newBuilder().setJobId(jobId).build()));
            }
        }
        if (!ends.isEmpty()) {
            journal.commit(ends);
        }
        lanes.keepOnly(command.jobIds());
        command.reply().ok(!ends.isEmpty());
    }
}
