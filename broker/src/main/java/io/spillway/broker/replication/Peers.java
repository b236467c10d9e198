package io.spillway.broker.replication;

import org.apache.ratis.proto.RaftProtos.RaftPeerRole;
import org.apache.ratis.protocol.RaftPeer;

/**
 * A {@link Peer} in Ratis' words. Zone and client address travel in the address of a data stream server, which we do not
 * have: what every node must know of every other is thus in the cluster's configuration, without a second state.
 */
final class Peers {
    private static final char ZONE_END = '/';

    private Peers() {}

    static RaftPeer toRaft(Peer peer, RaftPeerRole role, int priority) {
        return RaftPeer.newBuilder()
                .setId(peer.id())
                .setAddress(peer.clusterAddress())
                .setDataStreamAddress(peer.zone() + ZONE_END + peer.clientAddress())
                .setStartupRole(role)
                .setPriority(priority)
                .build();
    }

    static Peer of(RaftPeer peer) {
        String attributes = peer.getDataStreamAddress();
        int zoneEnd = attributes.indexOf(ZONE_END);
        return new Peer(
                peer.getId().toString(),
                attributes.substring(0, zoneEnd),
                peer.getAddress(),
                attributes.substring(zoneEnd + 1));
    }
}
