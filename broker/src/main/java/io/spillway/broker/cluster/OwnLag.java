package io.spillway.broker.cluster;

import io.spillway.broker.replication.ClusterStatus;

/**
 * For how long this node may have lacked something that was agreed on, as far as it can know: without a leader it cannot know
 * what the others agree on. Confined to the cluster's thread.
 */
final class OwnLag {
    private boolean wasWhole;
    private long wholeAtMs;
    private long handed = Long.MAX_VALUE;

    /**
     * Looks, some times a second.
     *
     * @param leaderHeardMs since when; {@link ClusterStatus#UNKNOWN} while there is no leader
     * @param newHanded the last entry that was handed to the shard
     * @param taken the last one that the shard has taken up
     * @return ms; {@link Long#MAX_VALUE} before it has had everything once
     */
    long lookMs(ClusterStatus status, long leaderHeardMs, long newHanded, long taken, long nowMs) {
        long ownMs = status.nodes().stream()
                .filter(node -> node.peer().id().equals(status.self()))
                .mapToLong(ClusterStatus.Node::lagMs)
                .findFirst()
                .orElse(ClusterStatus.UNKNOWN);
        boolean isKnown = leaderHeardMs != ClusterStatus.UNKNOWN && ownMs != ClusterStatus.UNKNOWN;
        if (isKnown && taken >= handed) {
            wasWhole = true;
            wholeAtMs = nowMs - Math.max(ownMs, leaderHeardMs);
        }
        handed = newHanded;
        return wasWhole ? nowMs - wholeAtMs : Long.MAX_VALUE;
    }
}
