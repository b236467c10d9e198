package io.spillway.broker.cluster;

import io.spillway.broker.replication.Peer;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Who leads, as this node sees it.
 *
 * @param leads this node takes publishes and delivers
 * @param leader null = nobody is known to
 * @param nodes all of the cluster, this one among them
 * @param voters how many of them vote; 0 while that is not known
 * @param follows readers may be served here although another node leads: what it lacks is not old
 * @param stopped why this node takes no part any more; empty while it does
 * @param stoppedNext what to do then
 */
public record ClusterView(
        boolean leads,
        @Nullable Peer leader,
        List<Peer> nodes,
        int voters,
        boolean follows,
        String stopped,
        String stoppedNext) {
    /** Of a broker that stands alone. */
    public static final ClusterView ALONE = new ClusterView(true, null, List.of(), 0, false, "", "");

    static final ClusterView JOINING = new ClusterView(false, null, List.of(), 0, false, "", "");

    public ClusterView {
        nodes = List.copyOf(nodes);
    }
}
