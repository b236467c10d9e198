package io.spillway.broker.cluster;

import io.spillway.broker.base.Published;
import io.spillway.broker.base.SpillwayException;
import io.spillway.broker.replication.Peer;
import io.spillway.broker.replication.RaftNode;
import io.spillway.protocol.Code;
import java.util.Optional;

/** Where this node stands in its cluster, as those who find out say. Thread-safe. */
final class Standing {
    static final long NOT_ELECTED = -1;

    /** Empty while it takes no part. */
    final Published<Optional<RaftNode>> node = new Published<>(Optional.empty());

    final Published<Long> electedTerm = new Published<>(NOT_ELECTED);
    /** The shard has taken up the office it was elected to. */
    final Published<Boolean> serves = new Published<>(false);

    final Published<Optional<Peer>> leader = new Published<>(Optional.empty());
    /** Why this node takes no part any more; empty while it does. */
    final Published<String> stopped = new Published<>("");
    /** What to do then. */
    final Published<String> stoppedNext = new Published<>("");
    /** Why this node takes no part yet, or not now; empty when it does. */
    final Published<String> returning = new Published<>("");
    /** The last entries that were handed to the shard, and that it has taken up. */
    final Published<Long> handed = new Published<>(-1L);

    final Published<Long> taken = new Published<>(-1L);

    boolean takesPart() {
        return stopped.get().isEmpty() && returning.get().isEmpty();
    }

    /** Throws NOT_READY while it takes no part. */
    RaftNode node() {
        RaftNode running = node.get().orElse(null);
        if (running == null) {
            throw new SpillwayException(
                    Code.NOT_READY,
                    "this node takes no part in the cluster yet",
                    returning.get().isEmpty() ? "it has not joined yet" : returning.get(),
                    "wait; ask another node meanwhile",
                    200,
                    null);
        }
        return running;
    }
}
