package io.spillway.broker;

import io.spillway.broker.admin.ClusterControl;
import io.spillway.broker.cluster.ClusterMember;
import io.spillway.broker.replication.ClusterStatus;
import io.spillway.broker.replication.Origin;
import io.spillway.broker.replication.Peer;
import java.util.List;
import java.util.concurrent.CompletableFuture;

/** Lets operators at this node's part in the cluster. Thread-safe. */
record OperatedCluster(ClusterMember member) implements ClusterControl {
    @Override
    public ClusterStatus status() {
        ClusterStatus now = member.status();
        return now != null ? now : member.node().status();
    }

    @Override
    public String stopped() {
        return member.view().stopped();
    }

    @Override
    public String stoppedNext() {
        return member.view().stoppedNext();
    }

    @Override
    public String behind() {
        return member.behind();
    }

    @Override
    public String returning() {
        return member.returning();
    }

    @Override
    public List<String> quarantine() {
        return member.quarantine();
    }

    @Override
    public CompletableFuture<ClusterStatus> leaderStatus() {
        return member.node().leaderStatus();
    }

    @Override
    public CompletableFuture<Void> add(Peer node, Origin origin) {
        return member.node().addNode(node, origin);
    }

    @Override
    public CompletableFuture<Void> remove(String id, Origin origin) {
        return member.node().removeNode(id, origin);
    }

    @Override
    public CompletableFuture<Void> transferTo(String id, int timeoutMs, Origin origin) {
        return member.node().transferLeadership(id, timeoutMs, origin);
    }

    @Override
    public CompletableFuture<Void> promote(String id, Origin origin) {
        return member.node().promote(id, origin);
    }
}
