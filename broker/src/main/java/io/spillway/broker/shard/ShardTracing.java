package io.spillway.broker.shard;

import io.netty.buffer.ByteBuf;
import io.spillway.broker.base.Clock;
import io.spillway.broker.base.SpillwayException;
import io.spillway.broker.subscription.Lease;
import io.spillway.broker.tracing.Step;
import io.spillway.broker.tracing.TracedRecord;
import io.spillway.broker.tracing.TracedStep;
import io.spillway.broker.tracing.Traces;
import io.spillway.protocol.Code;
import io.spillway.protocol.ProtocolException;
import io.spillway.protocol.RecordBatch;
import io.spillway.protocol.RecordView;
import io.spillway.protocol.v1.ItemError;
import io.spillway.protocol.v1.KeyResult;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Says of records that their publishers trace what becomes of them here. When tracing is off, or no record of a batch is traced,
 * that costs a branch. Confined to the shard thread.
 */
final class ShardTracing {
    static final ShardTracing OFF = new ShardTracing(null, Clock.SYSTEM);

    private final @Nullable Traces traces;
    private final Clock clock;
    private final RecordView view = new RecordView();
    private final TracedLeases leases = new TracedLeases();
    /** Deliveries that are in a frame which is not sent yet. */
    private final List<TracedStep> leaving = new ArrayList<>();
    /** Settlements that are not written yet. */
    private final List<TracedStep> unwritten = new ArrayList<>();

    /** @param traces null = tracing is off */
    ShardTracing(@Nullable Traces traces, Clock clock) {
        this.traces = traces;
        this.clock = clock;
    }

    /** The records of a batch for which spans are made. */
    List<TracedRecord> of(ByteBuf batch, int at) {
        return traces == null || !Batches.isTraced(batch, at) ? List.of() : read(traces, batch, at);
    }

    private List<TracedRecord> read(Traces to, ByteBuf batch, int at) {
        List<TracedRecord> found = new ArrayList<>();
        view.wrap(batch, at);
        for (int left = RecordBatch.recordCount(batch, at); left > 0; left--) {
            TracedRecord record = next();
            if (record != null && to.takes(record)) {
                found.add(record);
            }
        }
        return found;
    }

    /** The next record if it is traced; one whose parts do not fit is not. */
    private @Nullable TracedRecord next() {
        try {
            view.next();
            return TracedRecord.of(view);
        } catch (ProtocolException e) {
            return null;
        }
    }

    /** A batch was answered for. */
    void appended(
            List<TracedRecord> records, ShardCommand.Publish command, Partition partition, PublishOutcome outcome) {
        if (traces == null || records.isEmpty()) {
            return;
        }
        long endNs = clock.nanoTime();
        Places places = new Places(outcome);
        for (TracedRecord record : records) {
            Code refusal = places.refusal(record.index());
            boolean isDuplicate = places.isDuplicate(record.index());
            String durability = outcome.reached().name().substring("DUR_".length());
            Step step = refusal == null
                    ? new Step.Appended(durability, isDuplicate, outcome.queueUs(), outcome.syncUs())
                    : new Step.Refused(refusal, "the record was refused");
            long offset = places.offset(record.index());
            traces.add(step(record, partition, offset, command.receivedNs(), endNs, step));
        }
    }

    /** Where the records of an answered batch are, and which of them are nowhere. */
    private static final class Places {
        private final PublishOutcome outcome;
        private final Map<Integer, Long> duplicates = new HashMap<>();
        private final Map<Integer, Code> refusals = new HashMap<>();
        /** What the stored batch lacks of the one that came. */
        private final BitSet left = new BitSet();

        Places(PublishOutcome outcome) {
            this.outcome = outcome;
            for (KeyResult result : outcome.keyResults()) {
                duplicates.put(result.getIndex(), result.getOffset());
                left.set(result.getIndex());
            }
            for (ItemError error : outcome.errors()) {
                Code code = Code.of(error.getError().getCode());
                for (int i = 0; i < Math.max(1, error.getCount()); i++) {
                    refusals.put(error.getIndex() + i, code == null ? Code.INTERNAL : code);
                    left.set(error.getIndex() + i);
                }
            }
        }

        @Nullable
        Code refusal(int index) {
            return refusals.get(index);
        }

        boolean isDuplicate(int index) {
            return outcome.duplicate() || duplicates.containsKey(index);
        }

        long offset(int index) {
            if (refusals.containsKey(index) || outcome.baseOffset() < 0) {
                return -1;
            }
            long stored = outcome.baseOffset() + index - left.get(0, index).cardinality();
            return duplicates.getOrDefault(index, stored);
        }
    }

    /** A batch was refused; the partition is null when there is no such. */
    void refused(
            List<TracedRecord> records,
            ShardCommand.Publish command,
            @Nullable Partition partition,
            SpillwayException why) {
        if (traces == null || records.isEmpty() || partition == null) {
            return;
        }
        long endNs = clock.nanoTime();
        for (TracedRecord record : records) {
            Step step = new Step.Refused(why.code(), why.what() + ": " + why.why());
            traces.add(step(record, partition, -1, command.receivedNs(), endNs, step));
        }
    }

    /** Records of the batch copied last into the frame are leased to a member. */
    void leased(Group group, Group.Place place, GroupMember to, DeliverFrame frame, Lease lease) {
        if (traces == null || !Batches.isTraced(frame.buffer(), frame.batchAt())) {
            return;
        }
        long baseOffset = RecordBatch.baseOffset(frame.buffer(), frame.batchAt());
        long waitedMs = clock.nowMs() - RecordBatch.appendTimeMs(frame.buffer(), frame.batchAt());
        long nowNs = clock.nanoTime();
        Step.Delivered step = new Step.Delivered(
                owner(group), lease.attempt(), to.name, Math.max(0, waitedMs), group.created.getReplayId());
        List<TracedStep> deliveries = new ArrayList<>();
        for (TracedRecord record : read(traces, frame.buffer(), frame.batchAt())) {
            long offset = baseOffset + record.index();
            if (offset >= lease.from() && offset < lease.to() && lease.count(offset, offset + 1) > 0) {
                deliveries.add(step(record, place.partition, offset, nowNs, nowNs, step));
            }
        }
        leaving.addAll(deliveries);
        leases.put(lease.fence(), deliveries);
    }

    /** A side lane delivers for its group. */
    private static String owner(Group group) {
        return group.parent == null ? group.name() : group.parent.name();
    }

    /** The frame that was filled last was sent. */
    void sent() {
        tell(leaving);
    }

    /** Records of a lease, [from, to), were settled; that is told when it is written. */
    void settled(long fence, long from, long to, String outcome) {
        if (traces == null || leases.isEmpty()) {
            return;
        }
        long nowNs = clock.nanoTime();
        for (TracedStep delivery : leases.take(fence, from, to)) {
            Step.Delivered delivered = (Step.Delivered) delivery.step();
            Step step = new Step.Settled(delivered.group(), delivered.attempt(), outcome, null);
            unwritten.add(new TracedStep(
                    delivery.record(), delivery.topic(), delivery.partition(), delivery.offset(), nowNs, nowNs, step));
        }
    }

    /** What was settled is in the log. */
    void written() {
        tell(unwritten);
    }

    /** What was settled could not be written. */
    void unwritten(SpillwayException why) {
        unwritten.replaceAll(traced -> {
            Step.Settled settled = (Step.Settled) traced.step();
            return new TracedStep(
                    traced.record(),
                    traced.topic(),
                    traced.partition(),
                    traced.offset(),
                    traced.startNs(),
                    traced.endNs(),
                    new Step.Settled(settled.group(), settled.attempt(), settled.outcome(), why.code()));
        });
        tell(unwritten);
    }

    private void tell(List<TracedStep> steps) {
        if (traces == null || steps.isEmpty()) {
            return;
        }
        long endNs = clock.nanoTime();
        for (TracedStep traced : steps) {
            traces.add(new TracedStep(
                    traced.record(),
                    traced.topic(),
                    traced.partition(),
                    traced.offset(),
                    traced.startNs(),
                    endNs,
                    traced.step()));
        }
        steps.clear();
    }

    /** The record that the view is at was given up, and is in the target now. */
    void deadLettered(RecordView given, DeadLetter item, long offset, Partition target, long targetOffset) {
        TracedRecord record = traces == null ? null : TracedRecord.of(given);
        if (traces == null || record == null || !traces.takes(record)) {
            return;
        }
        long nowNs = clock.nanoTime();
        Step step = new Step.DeadLettered(
                owner(item.group()),
                item.attempts(),
                item.cause().name(),
                item.error(),
                target.topic.spec.name(),
                target.index,
                targetOffset);
        traces.add(step(record, item.place().partition, offset, nowNs, nowNs, step));
    }

    private static TracedStep step(
            TracedRecord record, Partition partition, long offset, long startNs, long endNs, Step step) {
        return new TracedStep(record, partition.topic.spec.name(), partition.index, offset, startNs, endNs, step);
    }
}
