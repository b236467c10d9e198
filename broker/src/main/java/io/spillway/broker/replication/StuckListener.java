package io.spillway.broker.replication;

import io.spillway.broker.base.Published;

/**
 * Notices a listener that Ratis 3.3.0 never lets vote. It becomes a voter with the configuration that ends the change; while
 * its log ends with the joint one before, in which its vote counts already, it refuses to vote. When the leader falls between
 * the two and no other can be elected without this vote, as when one node becomes two, the second configuration never
 * comes. A start from that log is not stuck, thanks to {@link StuckStart}.
 *
 * <p>{@link #tend} is confined to the control thread; {@link #isStuck} is thread-safe.
 */
final class StuckListener {
    /** Many elections. */
    private static final int SILENT_MS = 3_000;

    private final Group group;
    private final Published<Boolean> stuck = new Published<>(false);

    StuckListener(Group group) {
        this.group = group;
    }

    /** Called every now and then. */
    void tend() {
        boolean isBetween = group.isListening() && group.isVoter();
        long heardMs = group.leaderHeardMs();
        stuck.set(isBetween && (heardMs == ClusterStatus.UNKNOWN || heardMs > SILENT_MS));
    }

    boolean isStuck() {
        return stuck.get();
    }
}
