package io.spillway.broker.shard;

import io.netty.buffer.ByteBuf;
import io.spillway.broker.base.SpillwayException;
import io.spillway.protocol.v1.Durability;
import org.jspecify.annotations.Nullable;

/** The ledger of a broker that stands alone: entries go to its log, and a sync makes them durable. */
final class LocalLedger implements Ledger {
    private final ShardState state;
    private final Syncing syncing;

    LocalLedger(ShardState state, Syncing syncing) {
        this.state = state;
        this.syncing = syncing;
    }

    @Override
    public long append(byte @Nullable [] records, int partitionId, @Nullable ByteBuf batch) {
        return state.log.append(records, partitionId, batch);
    }

    @Override
    public long appendFromReserve(int partitionId, ByteBuf batch) {
        return state.log.append(null, partitionId, batch, true);
    }

    @Override
    public long lastSequence() {
        return state.log.nextSequence() - 1;
    }

    @Override
    public long durableSequence() {
        return syncing.syncedSequence();
    }

    @Override
    public long durableNs() {
        return syncing.endedNs();
    }

    @Override
    public Durability reached() {
        return Durability.DUR_SYNCED;
    }

    @Override
    public boolean answersEarly() {
        return true;
    }

    @Override
    public @Nullable SpillwayException failure() {
        return syncing.failure();
    }

    @Override
    public boolean copyPending(int partitionId, long offset, ByteBuf to) {
        return false;
    }

    @Override
    public int doWork(long nowMs, Awaited awaited) {
        int ended = syncing.poll();
        // Who waited for a sync that has just ended is not called back yet, and waits for no other.
        boolean isAwaited = awaited != Awaited.BY_NOBODY && durableSequence() < state.log.nextSequence();
        return ended + syncing.startIfDue(nowMs, isAwaited, awaited == Awaited.BY_PUBLISHES);
    }
}
