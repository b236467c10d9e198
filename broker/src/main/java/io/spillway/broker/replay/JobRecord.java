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
    /** When it was last resumed, so that what stopped it then does not stop it again. */
    private long errorsBefore;

    private long deadLettersBefore;

    JobRecord(ReplayJob.Builder wire, String idempotencyKey) {
        this.wire = wire;
        this.idempotencyKey = idempotencyKey;
    }

    static JobRecord restore(ReplayJobKept kept) throws InvalidProtocolBufferException {
        JobRecord record = new JobRecord(ReplayJob.parseFrom(kept.getJob()).toBuilder(), kept.getIdempotencyKey());
        record.wire.setRateNow(0);
        record.position = kept.getPosition();
        record.prepared = kept.getPrepared();
        record.errorsBefore = kept.getErrorsBefore();
        record.deadLettersBefore = kept.getDeadLettersBefore();
        return record;
    }

    ReplayJobKept kept() {
        return ReplayJobKept.newBuilder()
                .setId(id())
                .setJob(wire.build().toByteString())
                .setPosition(position)
                .setPrepared(prepared)
                .setIdempotencyKey(idempotencyKey)
                .setErrorsBefore(errorsBefore)
                .setDeadLettersBefore(deadLettersBefore)
                .build();
    }

    String id() {
        return wire.getId();
    }

    /** Goes on; its stop conditions count anew. */
    void resume() {
        wire.setState(RUNNING).setWhy("");
        errorsBefore = wire.getErrors();
        deadLettersBefore = wire.getFailed();
    }

    /** Since it was started or last resumed. */
    long recentErrors() {
        return wire.getErrors() - errorsBefore;
    }

    /** Since it was started or last resumed. */
    long recentDeadLetters() {
        return wire.getFailed() - deadLettersBefore;
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
