package io.spillway.broker.log;

import io.netty.buffer.ByteBuf;
import org.jspecify.annotations.Nullable;

/** Receives the entries of a replay. */
@FunctionalInterface
public interface EntryVisitor {
    /**
     * One entry as it was appended. {@code batch} holds exactly the stored batch and is valid during the call only; it
     * is null when the entry had none, or when its bytes are corrupt (then the state section is still good).
     */
    void onEntry(long sequence, byte @Nullable [] state, int partitionId, @Nullable ByteBuf batch);
}
