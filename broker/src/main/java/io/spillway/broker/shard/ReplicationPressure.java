package io.spillway.broker.shard;

import io.spillway.broker.base.SpillwayException;
import io.spillway.protocol.Code;
import org.jspecify.annotations.Nullable;

/**
 * When publishes are refused because the cluster does not agree fast enough. As much as {@link AgreedLedger} takes may be on
 * its way; what comes then waits in the mailbox, which is all it takes when the cluster is merely busy. Once nothing has
 * found room for {@value #PATIENCE_MS} ms, waiting is of no use to anybody. Confined to the shard thread.
 */
final class ReplicationPressure {
    static final int PATIENCE_MS = 500;
    static final int RETRY_AFTER_MS = 250;
    private static final long NOT_FULL = -1;

    private long fullSinceMs = NOT_FULL;

    /** Called every turn; why publishes that wait are refused, or null when they may wait. */
    @Nullable
    SpillwayException look(boolean isFull, long nowMs) {
        if (!isFull) {
            fullSinceMs = NOT_FULL;
            return null;
        }
        if (fullSinceMs == NOT_FULL) {
            fullSinceMs = nowMs;
        }
        return nowMs - fullSinceMs < PATIENCE_MS ? null : refusal(nowMs - fullSinceMs);
    }

    /** For how long there has been no room. */
    int fullMs(long nowMs) {
        return fullSinceMs == NOT_FULL ? 0 : (int) Math.min(Integer.MAX_VALUE, nowMs - fullSinceMs);
    }

    private static SpillwayException refusal(long fullMs) {
        return new SpillwayException(
                        Code.THROTTLED,
                        "a batch was refused before any work",
                        "the cluster has not agreed on what is on its way for " + fullMs + " ms",
                        "send again after the stated time; spillway cluster status names a node that is slow or away",
                        RETRY_AFTER_MS,
                        null)
                .with("reason", "REPLICATION")
                .with("scope", "broker");
    }
}
