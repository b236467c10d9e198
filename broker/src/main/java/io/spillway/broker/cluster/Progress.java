package io.spillway.broker.cluster;

/**
 * Notices that the leader goes on and this node does not: it refuses what it is sent, or cannot take it up. That it hears of the
 * leader says nothing of that. Confined to the cluster's thread.
 */
final class Progress {
    /** A node that is slow moves within that time. */
    static final long PATIENCE_MS = 10_000;

    private static final long NEVER = Long.MIN_VALUE;

    private long applied = -1;
    private long movedMs = NEVER;

    /**
     * @param newApplied up to where this node is
     * @param leaderCommit up to where the leader says the cluster has agreed; {@link
     *     io.spillway.broker.replication.ClusterStatus#UNKNOWN} when it was not asked, or has not answered
     * @return for how long it has stood still while it lacks something, in ms; 0 = it does not, or not for long
     */
    long lookMs(long newApplied, long leaderCommit, long nowMs) {
        if (movedMs == NEVER || newApplied != applied || newApplied >= leaderCommit) {
            applied = newApplied;
            movedMs = nowMs;
        }
        long stoodMs = nowMs - movedMs;
        return stoodMs >= PATIENCE_MS ? stoodMs : 0;
    }
}
