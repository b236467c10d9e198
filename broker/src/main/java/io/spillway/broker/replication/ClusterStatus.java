package io.spillway.broker.replication;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The cluster as one node sees it; the leader sees best.
 *
 * @param cluster its name
 * @param self the id of the node that says so
 * @param term the newest it knows
 * @param last the newest entry of this node's log
 * @param commit the index up to which a majority holds the log
 * @param applied the index up to which entries were handed to this node's replica
 * @param leader null = none known
 * @param nodes by id
 */
public record ClusterStatus(
        String cluster,
        String self,
        long term,
        long last,
        long commit,
        long applied,
        @Nullable Peer leader,
        List<Node> nodes) {
    /** Not known here. */
    public static final long UNKNOWN = -1;

    /** What a node counts for. */
    public enum Role {
        /** Its copy counts for the majority, and it can be elected. */
        VOTER,
        /** It receives all and decides nothing. */
        LISTENER
    }

    /**
     * @param commitIndex up to where it has the log and knows that it is committed, as heard last; {@link #UNKNOWN} if
     *     nothing was heard
     * @param lagEntries how far that is behind the cluster's commit index; {@link #UNKNOWN} likewise
     * @param lastContactMs since the leader last heard of it; 0 for itself, {@link #UNKNOWN} to all but the leader
     */
    public record Node(Peer peer, Role role, boolean isLeader, long commitIndex, long lagEntries, long lastContactMs) {}

    public ClusterStatus {
        nodes = List.copyOf(nodes);
    }

    public boolean isLeading() {
        return leader != null && leader.id().equals(self);
    }
}
