package io.spillway.broker.replication;

import java.util.Collection;
import java.util.List;
import java.util.Optional;

/**
 * Who votes: one node of each zone, and no more than so many. A cluster thus outlives the loss of a zone, and a commit
 * never waits for two nodes of one zone. All others listen.
 */
record VoterRule(int maxVoters) {
    /** The first of the listeners, in their order, whose zone has no voter yet; empty when no seat is free. */
    Optional<Peer> next(Collection<Peer> voters, List<Peer> listeners) {
        if (voters.size() >= maxVoters) {
            return Optional.empty();
        }
        return listeners.stream()
                .filter(listener -> !hasZone(voters, listener.zone()))
                .findFirst();
    }

    private static boolean hasZone(Collection<Peer> peers, String zone) {
        return peers.stream().anyMatch(peer -> peer.zone().equals(zone));
    }
}
