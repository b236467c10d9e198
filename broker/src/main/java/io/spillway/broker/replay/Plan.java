package io.spillway.broker.replay;

import com.google.protobuf.ByteString;
import com.google.protobuf.InvalidProtocolBufferException;
import io.spillway.broker.base.SpillwayException;
import io.spillway.broker.records.ReplayPlanKept;
import io.spillway.protocol.v1.Error;
import io.spillway.protocol.v1.ReplayPlan;

/** A plan as the replay thread has it. Confined to the replay thread. */
final class Plan {
    static final int SCANNING = 0;
    static final int READY = 1;
    static final int FAILED = 2;

    final ReplayPlan.Builder wire;
    final String idempotencyKey;
    Ranges ranges = Ranges.NONE;

    Plan(ReplayPlan.Builder wire, String idempotencyKey) {
        this.wire = wire;
        this.idempotencyKey = idempotencyKey;
    }

    static Plan restore(ReplayPlanKept kept) throws InvalidProtocolBufferException {
        Plan plan = new Plan(ReplayPlan.parseFrom(kept.getPlan()).toBuilder(), kept.getIdempotencyKey());
        plan.ranges = Ranges.decode(kept.getRanges().toByteArray());
        return plan;
    }

    String id() {
        return wire.getId();
    }

    String topic() {
        return wire.getSelection().getTopic();
    }

    void fail(SpillwayException why) {
        wire.setState(FAILED)
                .setError(Error.newBuilder()
                        .setCode(why.code().number())
                        .setReason(why.code().name())
                        .setMessage(why.what())
                        .setCause(why.why())
                        .setNextStep(why.nextStep())
                        .setRetry(why.code().retry()));
    }

    /** With a line for each partition. */
    ReplayPlan summary() {
        return wire.clone().addAllPartitions(ranges.summary()).build();
    }

    /** With every range. */
    ReplayPlan exact() {
        return wire.clone().addAllPartitions(ranges.exact()).build();
    }

    ReplayPlanKept kept() {
        return ReplayPlanKept.newBuilder()
                .setId(id())
                .setPlan(wire.build().toByteString())
                .setRanges(ByteString.copyFrom(ranges.encode()))
                .setIdempotencyKey(idempotencyKey)
                .build();
    }

    /** Bytes it takes in the shard's memory and snapshots, about. */
    long bytes() {
        return ranges.partitions().stream()
                        .mapToLong(in -> in.bounds().length * 2L)
                        .sum()
                + 512;
    }
}
