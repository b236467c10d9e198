package io.spillway.broker.cli;

import io.spillway.broker.diagnose.ClusterFacts;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What a node says of its cluster.
 *
 * @param id of the cluster; empty = the node is older and does not say
 * @param node who says so
 * @param leader empty = none known
 * @param stopped why that node takes no part any more; empty while it does
 * @param stoppedNext what to do then
 * @param returning why that node takes no part yet; empty when it does
 * @param behind why that node is not whole although it hears the leader; empty when it is
 * @param quarantine where that node keeps damaged files
 * @param figuresFrom whose figures of the nodes these are, the leader's; empty = there are none
 */
record ClusterReport(
        String cluster,
        String id,
        String node,
        long term,
        String leader,
        long commit,
        long applied,
        String stopped,
        String stoppedNext,
        String returning,
        String behind,
        List<String> quarantine,
        String figuresFrom,
        List<Node> nodes) {
    /** Of a figure. */
    static final long UNKNOWN = -1;
    /** A node that the leader has not heard of for longer is out of reach. */
    static final long MAX_CONTACT_MS = ClusterFacts.MAX_CONTACT_MS;
    /** A node that lacks something for longer is slow. */
    static final long MAX_LAG_MS = ClusterFacts.MAX_LAG_MS;
    /** A node that lacks more entries is slow. */
    static final long MAX_LAG = ClusterFacts.MAX_LAG;

    /**
     * @param lag entries it lacks, or {@link #UNKNOWN}
     * @param lagMs for how long it has lacked something, or {@link #UNKNOWN}
     * @param contactMs since the leader heard of it, or {@link #UNKNOWN}
     */
    record Node(
            String id,
            String zone,
            boolean votes,
            boolean leads,
            String clusterAddress,
            String clientAddress,
            long lag,
            long lagMs,
            long contactMs) {
        boolean isReached() {
            return leads || contactMs != UNKNOWN && contactMs <= MAX_CONTACT_MS;
        }
    }

    static ClusterReport of(Map<String, @Nullable Object> json) {
        List<?> nodes = json.get("nodes") instanceof List<?> all ? all : List.of();
        List<?> quarantine = json.get("quarantine") instanceof List<?> all ? all : List.of();
        return new ClusterReport(
                AdminClient.text(json, "cluster"),
                AdminClient.text(json, "cluster_id"),
                AdminClient.text(json, "node"),
                number(json, "term"),
                AdminClient.text(json, "leader"),
                number(json, "commit"),
                number(json, "applied"),
                AdminClient.text(json, "stopped"),
                AdminClient.text(json, "stopped_next"),
                AdminClient.text(json, "returning"),
                AdminClient.text(json, "behind"),
                quarantine.stream().map(String::valueOf).toList(),
                AdminClient.text(json, "figures_from"),
                nodes.stream().map(ClusterReport::node).toList());
    }

    @SuppressWarnings("unchecked")
    private static Node node(Object json) {
        Map<String, @Nullable Object> fields = (Map<String, @Nullable Object>) json;
        return new Node(
                AdminClient.text(fields, "node"),
                AdminClient.text(fields, "zone"),
                AdminClient.text(fields, "role").equals("VOTER"),
                Boolean.TRUE.equals(fields.get("leader")),
                AdminClient.text(fields, "cluster_address"),
                AdminClient.text(fields, "client_address"),
                number(fields, "lag_entries"),
                number(fields, "lag_ms"),
                number(fields, "last_contact_ms"));
    }

    private static long number(Map<String, @Nullable Object> fields, String name) {
        return fields.get(name) instanceof Long value ? value : UNKNOWN;
    }

    boolean hasLeader() {
        return !leader.isEmpty();
    }

    boolean hasFigures() {
        return !figuresFrom.isEmpty();
    }

    List<Node> voters() {
        return nodes.stream().filter(Node::votes).toList();
    }

    /** How many voters must hold an entry. */
    int majority() {
        return voters().size() / 2 + 1;
    }

    /** Whether the cluster would go on without that zone, as far as this is known. */
    boolean outlives(String zone) {
        long others = voters().stream()
                .filter(voter -> !voter.zone().equals(zone))
                .filter(voter -> !hasFigures() || voter.isReached())
                .count();
        return others >= majority();
    }
}
