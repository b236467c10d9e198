package io.spillway.broker.admin;

import io.spillway.broker.replication.ClusterStatus;
import io.spillway.broker.replication.Origin;
import io.spillway.broker.replication.Peer;
import java.util.List;
import java.util.concurrent.CompletableFuture;

/** The cluster in the hands of an operator. Thread-safe; nothing here waits. Futures fail with what the cluster says. */
public interface ClusterControl {
    /** As this node sees it; throws NOT_READY before it takes part. */
    ClusterStatus status();

    /** Why this node takes no part any more; empty while it does. */
    String stopped();

    /** What to do then. */
    String stoppedNext();

    /** Why it takes no part yet, or not now; empty when it does. */
    String returning();

    /** Why it is not whole although it hears the leader; empty when it is. */
    String behind();

    /** Directories of damaged files that wait for an operator, oldest first. */
    List<String> quarantine();

    /** As the leader sees it, which alone knows how far the others are. */
    CompletableFuture<ClusterStatus> leaderStatus();

    CompletableFuture<Void> add(Peer node, Origin origin);

    CompletableFuture<Void> remove(String id, Origin origin);

    CompletableFuture<Void> transferTo(String id, int timeoutMs, Origin origin);

    CompletableFuture<Void> promote(String id, Origin origin);
}
