package io.spillway.broker.shard;

import java.util.ArrayDeque;

/** A shard's place in a cluster; outlives a shard that is opened anew. Confined to the shard thread once that runs. */
final class Replication {
    private final Consensus consensus;
    private final ArrayDeque<ShardCommand.Agreement> waiting = new ArrayDeque<>();
    private boolean damaged;

    Replication(Consensus consensus) {
        this.consensus = consensus;
    }

    Consensus consensus() {
        return consensus;
    }

    /** What came from the cluster and is not applied. */
    ArrayDeque<ShardCommand.Agreement> waiting() {
        return waiting;
    }

    /** The log lacks something that the cluster agreed on: nothing may be added until it was replaced. */
    boolean isDamaged() {
        return damaged;
    }

    void damaged(boolean isDamaged) {
        damaged = isDamaged;
    }
}
