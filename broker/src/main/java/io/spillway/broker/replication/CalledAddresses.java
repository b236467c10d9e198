package io.spillway.broker.replication;

import io.spillway.broker.replication.ReplicationException.Kind;
import java.util.Collection;
import java.util.HashMap;
import java.util.Map;
import org.apache.ratis.protocol.RaftPeer;

/**
 * At which addresses this process calls the other nodes. Ratis keeps the first one of an id for as long as the process lives, and so
 * of a node that was removed, too (3.3.0, PeerProxyMap): who comes back elsewhere would never be called. Confined to the control
 * thread.
 */
final class CalledAddresses {
    private final Map<String, String> first = new HashMap<>();

    void learn(Collection<RaftPeer> peers) {
        peers.forEach(peer -> first.putIfAbsent(peer.getId().toString(), peer.getAddress()));
    }

    /** Throws {@link Kind#REFUSED} when the node would be called where it is not. */
    void require(Peer peer) {
        String called = first.get(peer.id());
        if (called != null && !called.equals(peer.clusterAddress())) {
            throw new ReplicationException(
                    Kind.REFUSED,
                    "the node " + peer.id() + " is not taken in at " + peer.clusterAddress()
                            + ": the others call it at " + called
                            + ", and can learn no other address of a node that they know; give it the address it had, or remove it "
                            + "and start it with another id, an empty directory and its seeds");
        }
    }
}
