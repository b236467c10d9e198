package io.spillway.broker.shard;

import java.util.ArrayDeque;

/**
 * A shard's place in a cluster.
 *
 * @param waiting what came from the cluster and is not applied; outlives a shard that is opened anew
 */
record Replication(Consensus consensus, ArrayDeque<ShardCommand.Agreement> waiting) {
    static Replication by(Consensus consensus) {
        return new Replication(consensus, new ArrayDeque<>());
    }
}
