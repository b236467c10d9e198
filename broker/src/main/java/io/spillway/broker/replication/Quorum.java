package io.spillway.broker.replication;

import io.spillway.broker.replication.ReplicationException.Kind;
import java.util.List;
import org.apache.ratis.protocol.RaftPeer;

/**
 * Whether voters can agree. A change that leaves too few of them within reach would stop the cluster, and could not be taken
 * back: that needs agreement too.
 */
record Quorum(List<ClusterStatus.Node> nodes) {
    /** A voter the leader has heard of within so many ms counts as reached. */
    static final long REACHED_MS = 2_000;

    /** @throws ReplicationException REFUSED if a majority of these voters is out of the leader's reach */
    void require(List<RaftPeer> voters) {
        List<String> silent = voters.stream()
                .map(voter -> voter.getId().toString())
                .filter(id -> !isReached(id))
                .toList();
        int needed = voters.size() / 2 + 1;
        int reached = voters.size() - silent.size();
        if (reached < needed) {
            throw new ReplicationException(
                    Kind.REFUSED,
                    "that would stop the cluster: it would have " + voters.size() + " voters and reach " + reached
                            + ", " + needed + " are needed; bring back or remove first: " + String.join(", ", silent));
        }
    }

    private boolean isReached(String id) {
        return nodes.stream()
                .filter(node -> node.peer().id().equals(id))
                .anyMatch(node -> node.isLeader() || node.lastContactMs() >= 0 && node.lastContactMs() < REACHED_MS);
    }
}
