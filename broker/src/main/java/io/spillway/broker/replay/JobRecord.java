package io.spillway.broker.replay;

import com.google.protobuf.InvalidProtocolBufferException;
import io.spillway.broker.records.ReplayJobKept;
import io.spillway.protocol.v1.ReplayJob;

/** A job as it is kept: what clients see, and where it goes on after a restart. Confined to the replay thread. */
final class JobRecord {
    static final int RUNNING = 0;
    static final int PAUSED = 1;
    static final int DONE = 2;
    static final int CANCELLED = 3;
    static final int FAILED = 4;

    final ReplayJob.Builder wire;
    final String idempotencyKey;
    /** Of a job that copies: so many records of the plan, in its order, are done. */
    long position;
    /** Of a job that delivers: its lane is complete. */
    boolean prepared;

    JobRecord(ReplayJob.Builder wire, String idempotencyKey) {
        this.wire = wire;
        this.idempotencyKey = idempotencyKey;
    }

    static JobRecord restore(ReplayJobKept kept) throws InvalidProtocolBufferException {
        JobRecord record = new JobRecord(ReplayJob.parseFrom(kept.getJob()).toBuilder(), kept.getIdempotencyKey());
        record.wire.setRateNow(0);
        record.position = kept.getPosition();
        record.prepared = kept.getPrepared();
        return record;
    }

    ReplayJobKept kept() {
        return ReplayJobKept.newBuilder()
                .setId(id())
                .setJob(wire.build().toByteString())
                .setPosition(position)
                .setPrepared(prepared)
                .setIdempotencyKey(idempotencyKey)
                .build();
    }

    String id() {
        return wire.getId();
    }

    boolean isRunning() {
        return wire.getState() == RUNNING;
    }

    boolean hasEnded() {
        return wire.getState() > PAUSED;
    }

    @Override
    public String toString() {
        return "replay " + id() + " of " + wire.getTopic();
    }
}
