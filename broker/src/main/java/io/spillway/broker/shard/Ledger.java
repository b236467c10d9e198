package io.spillway.broker.shard;

import io.netty.buffer.ByteBuf;
import io.spillway.broker.base.SpillwayException;
import io.spillway.protocol.v1.Durability;
import org.jspecify.annotations.Nullable;

/**
 * Where a shard's entries go, and how far they are as durable as an answer may say: the log of this machine alone, or
 * what a cluster agreed on. Sequences are dense, rise with each entry, and mean nothing outside the shard. Confined to
 * the shard thread.
 */
interface Ledger {
    /**
     * Takes an entry and returns its sequence. The batch is stamped and complete; its bytes are copied. Throws
     * SpillwayException when the entry cannot be taken (too large, no room), and has taken nothing of it then.
     */
    long append(byte @Nullable [] state, int partitionId, @Nullable ByteBuf batch);

    /** As {@link #append}, for a batch that may use the space that is kept for entries of state. */
    long appendFromReserve(int partitionId, ByteBuf batch);

    /** The newest entry. */
    long lastSequence();

    /** Entries before this one are durable. */
    long durableSequence();

    /** What an entry before {@link #durableSequence} has reached. */
    Durability reached();

    /** Whether records may be shown and publishes answered before they are durable, where a topic allows it. */
    boolean answersEarly();

    /** Why no entry will ever become durable any more; null while there is hope. */
    @Nullable
    SpillwayException failure();

    /** The stored form of a batch that is taken but not yet in the log, copied to a buffer; false when it is there. */
    boolean copyPending(int partitionId, long offset, ByteBuf to);

    /** Who waits for an entry to become durable. */
    enum Awaited {
        BY_NOBODY,
        BY_COMMANDS,
        /** By publishes, and perhaps by commands. */
        BY_PUBLISHES
    }

    /** Does what is due. */
    int doWork(long nowMs, Awaited awaited);

    /** When the last entry became durable, by the monotonic clock. */
    long durableNs();
}
