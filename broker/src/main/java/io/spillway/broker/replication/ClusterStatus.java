package io.spillway.broker.replication;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The cluster as one node sees it; the leader sees best.
 *
 * @param cluster its name
 * @param id of the cluster, as text; empty from a node that is older
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
        String id,
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
     * @param lagMs for how long it has lacked something that was agreed on, 0 = it has all; {@link #UNKNOWN} to all but the
     *     leader, and to a node of itself
     * @param lastContactMs since the leader last heard of it; 0 for itself, {@link #UNKNOWN} to all but the leader
     */
    public record Node(
            Peer peer,
            Role role,
            boolean isLeader,
            long commitIndex,
            long lagEntries,
            long lagMs,
            long lastContactMs) {}

    public ClusterStatus {
        nodes = List.copyOf(nodes);
    }

    public boolean isLeading() {
        return leader != null && leader.id().equals(self);
    }

    /** By name. */
    public List<String> zones() {
        return nodes.stream()
                .map(node -> node.peer().zone())
                .distinct()
                .sorted()
                .toList();
    }

    /** Whether nobody votes there: the cluster waits for nothing of that zone. */
    public boolean isAsynchronous(String zone) {
        return nodes.stream().noneMatch(node -> node.peer().zone().equals(zone) && node.role() == Role.VOTER);
    }

    /** For how long the zone's most advanced node has lacked something; {@link #UNKNOWN} if that of none is known. */
    public long zoneLagMs(String zone) {
        return nodes.stream()
                .filter(node -> node.peer().zone().equals(zone) && node.lagMs() != UNKNOWN)
                .mapToLong(Node::lagMs)
                .min()
                .orElse(UNKNOWN);
    }
}
