package io.spillway.broker.session;

import io.spillway.broker.base.ListenAddress;
import io.spillway.broker.base.SpillwayException;
import io.spillway.broker.cluster.ClusterView;
import io.spillway.broker.replication.Peer;
import io.spillway.protocol.Code;
import io.spillway.protocol.v1.Endpoint;
import io.spillway.protocol.v1.Error;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Where clients of a cluster are to go: to the leader, which does all their work. */
final class Leader {
    private static final int ELECTION_RETRY_MS = 200;

    private Leader() {}

    /**
     * Why a client is not served here; null when it is.
     *
     * @param onlyReads it may be served by a node that follows, too
     */
    static @Nullable Error refusal(ClusterView view, boolean onlyReads) {
        return view.leads() || onlyReads && view.follows() ? null : elsewhere(view);
    }

    /** That something is done by the leader, and where that is. */
    static Error elsewhere(ClusterView view) {
        Peer leader = view.leader();
        if (leader == null) {
            return WireErrors.of(new SpillwayException(
                    Code.LEADER_ELECTION,
                    "the cluster has no leader at this moment",
                    view.stopped().isEmpty() ? "the nodes are about to elect one" : "this node: " + view.stopped(),
                    "try again in a moment, here or at another node",
                    ELECTION_RETRY_MS,
                    null));
        }
        return WireErrors.of(new SpillwayException(
                        Code.NOT_LEADER,
                        "this node does not lead the cluster",
                        "node " + leader.id() + " does",
                        "connect to " + leader.clientAddress()))
                .toBuilder()
                .setRedirect(endpoint(leader))
                .build();
    }

    /** The zone of a node; empty when that is not known, as when the broker stands alone. */
    static String zone(ClusterView view, String nodeId) {
        return view.nodes().stream()
                .filter(node -> node.id().equals(nodeId))
                .map(Peer::zone)
                .findFirst()
                .orElse("");
    }

    /** The nodes of the cluster, its leader first; none when the broker stands alone. */
    static List<Endpoint> endpoints(ClusterView view) {
        List<Endpoint> all = new ArrayList<>();
        Peer leader = view.leader();
        if (leader != null) {
            all.add(endpoint(leader));
        }
        for (Peer node : view.nodes()) {
            if (leader == null || !node.id().equals(leader.id())) {
                all.add(endpoint(node));
            }
        }
        return all;
    }

    private static Endpoint endpoint(Peer node) {
        ListenAddress address = ListenAddress.parse(node.clientAddress()).orElseThrow();
        return Endpoint.newBuilder()
                .setBrokerId(1)
                .setHost(address.host())
                .setPort(address.port())
                .setZone(node.zone())
                .setWeight(100)
                .build();
    }
}
