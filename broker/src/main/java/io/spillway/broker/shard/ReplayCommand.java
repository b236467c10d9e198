package io.spillway.broker.shard;

import io.netty.buffer.ByteBuf;
import io.spillway.broker.records.Position;
import io.spillway.broker.records.ReplayJobKept;
import io.spillway.broker.records.ReplayPlanKept;
import io.spillway.broker.records.StateRecord;
import io.spillway.protocol.v1.ReplaySelection;
import java.util.List;
import java.util.Set;

/** What the replays ask of a shard. Each is answered. */
public sealed interface ReplayCommand {
    Reply<?> reply();

    /** To shard 0: all plans and jobs that are kept, oldest first. */
    record Load(Reply<Kept> reply) implements ReplayCommand {}

    record Kept(List<ReplayPlanKept> plans, List<ReplayJobKept> jobs) {}

    /** To shard 0: write records of plans and jobs; answered once they are synced. */
    record Keep(List<StateRecord> records, Reply<Boolean> reply) implements ReplayCommand {}

    /** The bounds of a selection in each of its partitions, and what its group has settled in them now. */
    record Resolve(int topicId, ReplaySelection selection, Reply<List<Span>> reply) implements ReplayCommand {}

    /**
     * @param settled what is settled of [from, to), as from, to, from, to, ...; empty when nobody was asked for
     */
    record Span(int partition, long from, long to, long[] settled) {}

    /** Copies whole batches from the one that holds an offset on: about {@code maxBytes}, one batch at least. */
    record Read(int topicId, int partition, long from, int maxBytes, Reply<ReadBatches> reply)
            implements ReplayCommand {}

    /**
     * @param batches one after the other; the receiver releases them
     * @param next the offset after what was read; nothing between the asked one and this can be read but what is here
     */
    record ReadBatches(ByteBuf batches, long next) {}

    /**
     * Keeps records from these offsets on from being removed, in place of what the job held before; no position = nothing
     * any more. Refused with POSITION_OUT_OF_RANGE when one is gone already. Answered once it is synced.
     */
    record Hold(String jobId, int topicId, List<Position> from, Reply<Boolean> reply) implements ReplayCommand {}

    /** The end of all holds and lanes of jobs but these: others were left behind by a crash. */
    record KeepOnly(Set<String> jobIds, Reply<Boolean> reply) implements ReplayCommand {}

    /**
     * Makes a group that delivers [from, to) of some partitions once and holds it back. As a side lane it uses the members
     * of the group that is there; otherwise it is a new group.
     */
    record OpenLane(
            String jobId, int topicId, String group, boolean isNew, List<Span> spans, int rate, Reply<Boolean> reply)
            implements ReplayCommand {}

    /** Takes records out of a lane that is held back: from, to, from, to, ... */
    record SkipInLane(String jobId, int topicId, int partition, long[] bounds, Reply<Boolean> reply)
            implements ReplayCommand {}

    /** Lets a lane deliver, or holds it back. */
    record SetLane(String jobId, int topicId, boolean active, Reply<Boolean> reply) implements ReplayCommand {}

    /** Ends a lane: a side lane is removed, a new group has nothing more to deliver. Leases end. */
    record CloseLane(String jobId, int topicId, Reply<Boolean> reply) implements ReplayCommand {}

    record DescribeLane(String jobId, int topicId, Reply<LaneFigures> reply) implements ReplayCommand {}

    /**
     * @param open not settled
     * @param out of those, delivered at least once: leased, or waiting to be delivered again
     * @param failures failed deliveries
     * @param backlog what the live group has not settled; 0 for a new group
     * @param held why nothing is delivered, or empty
     */
    record LaneFigures(
            long open, long out, long failures, long deadLetters, long backlog, boolean active, String held) {}
}
