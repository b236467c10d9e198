package io.spillway.broker.diagnose;

import java.util.List;

/**
 * A cluster as its leader sees it.
 *
 * @param leader empty when none is known
 * @param hasFigures the leader was reached, and said how far the others are
 */
public record ClusterFacts(String leader, boolean hasFigures, List<Node> nodes) {
    /** Of a figure that is not known. */
    public static final long UNKNOWN = -1;

    /** A node that the leader has not heard of for longer is out of reach. */
    public static final long MAX_CONTACT_MS = 1_000;

    /** A node that lacks something for longer is slow. */
    public static final long MAX_LAG_MS = 10_000;

    /** A node that lacks more entries is slow. */
    public static final long MAX_LAG = 1_000;

    /**
     * @param lag entries it lacks
     * @param lagMs for how long it has lacked something
     * @param contactMs since the leader heard of it
     */
    public record Node(
            String id,
            String zone,
            boolean votes,
            boolean leads,
            String address,
            long lag,
            long lagMs,
            long contactMs) {
        boolean isReached() {
            return leads || contactMs != UNKNOWN && contactMs <= MAX_CONTACT_MS;
        }
    }

    public ClusterFacts {
        nodes = List.copyOf(nodes);
    }

    List<Node> voters() {
        return nodes.stream().filter(Node::votes).toList();
    }
}
