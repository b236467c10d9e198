package io.spillway.broker;

import io.spillway.broker.admin.Health;
import io.spillway.broker.cluster.ClusterView;
import io.spillway.broker.diagnose.Cause;
import java.util.Optional;

/** Whether a node of a cluster can do its part. */
final class ClusterHealth {
    private static final String COMPONENT = "cluster";

    private ClusterHealth() {}

    /**
     * Why it is not ready; empty when it is.
     *
     * @param self the id of this node
     * @param isStalled it leads, entries wait, and nothing is agreed on
     * @param returning why it takes no part yet; empty when it does
     * @param behind why it lacks what the leader has, and does not get it; empty when it does
     */
    static Optional<Health.Cause> cause(
            ClusterView view, String self, boolean isStalled, String returning, String behind) {
        if (!view.stopped().isEmpty()) {
            return Optional.of(new Health.Cause(
                    COMPONENT,
                    Cause.LEFT_CLUSTER,
                    "this node takes no part in the cluster any more",
                    view.stopped(),
                    view.stoppedNext()));
        }
        if (!returning.isEmpty()) {
            return Optional.of(
                    new Health.Cause(
                            COMPONENT,
                            Cause.RETURNING,
                            "this node takes no part in the cluster yet",
                            returning,
                            "wait: it gets what it lacks from the leader; see its log and spillway cluster status at another node"));
        }
        if (view.leader() == null && !isIn(view, self)) {
            return Optional.of(new Health.Cause(
                    COMPONENT,
                    Cause.LEFT_CLUSTER,
                    "this node is not in the cluster",
                    "it was removed, or waits to be admitted again",
                    "if it shall not be in it, stop its process; else take it in at another node: spillway cluster add-node "
                            + self + ", or delete its data directory and start it with --seed"));
        }
        if (view.leader() == null) {
            return Optional.of(new Health.Cause(
                    COMPONENT,
                    Cause.NO_LEADER,
                    "no leader is known here",
                    "the nodes are about to elect one, this node has not joined yet, or a majority of the voters is down",
                    "wait a moment; then see spillway cluster status, and start the voters that are down"));
        }
        if (isStalled) {
            return Optional.of(new Health.Cause(
                    COMPONENT,
                    Cause.NO_QUORUM,
                    "the cluster agrees on nothing",
                    "this node leads, and what it proposed waits for a majority",
                    "see spillway cluster status; look at the disks and the network of the other voters"));
        }
        if (!behind.isEmpty()) {
            return Optional.of(new Health.Cause(
                    COMPONENT,
                    Cause.NODE_BEHIND,
                    "this node does not take up what the cluster agrees on",
                    behind,
                    "see its log and its disk; restart it; if that does not help, stop it, move its data directory away and"
                            + " start it with its seeds"));
        }
        return Optional.empty();
    }

    /** True while nothing is known. */
    private static boolean isIn(ClusterView view, String self) {
        return view.nodes().isEmpty()
                || view.nodes().stream().anyMatch(node -> node.id().equals(self));
    }
}
