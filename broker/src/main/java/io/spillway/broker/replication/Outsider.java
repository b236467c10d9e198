package io.spillway.broker.replication;

import io.spillway.broker.base.Published;
import io.spillway.broker.replication.ReplicationException.Kind;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A node that takes no part in its cluster now, and asks those that do: which cluster that is, who leads, for files, to be
 * forgotten. It does not vote, and holds nothing for anybody, because no {@link RaftNode} runs. Thread-safe.
 */
public final class Outsider implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Outsider.class);

    private final String name;
    private final Questions questions;
    /** Which cluster a node is of is asked by a call that waits. */
    private final ExecutorService worker = Executors.newSingleThreadExecutor(task -> new Thread(task, "spillway-ask"));

    private final Published<Optional<ClusterId>> cluster;

    /** @param known the cluster this node was in; empty = in none, and it may be any of the name */
    public Outsider(ReplicationConfig config, Optional<ClusterId> known) {
        name = config.cluster();
        cluster = new Published<>(known);
        questions = new Questions(
                known.orElse(ClusterId.ofName(name)).group(),
                RaftSettings.properties(config),
                RaftSettings.parameters(config));
    }

    /** Of which nodes were asked; empty until one has answered. */
    public Optional<ClusterId> cluster() {
        return cluster.get();
    }

    /**
     * How a node sees the cluster. When this node was in none, its cluster is that of the first node that answers. Fails with a
     * {@link ReplicationException}, also when the node asked is of another cluster.
     */
    public CompletableFuture<ClusterStatus> status(String clusterAddress) {
        return CompletableFuture.runAsync(() -> learn(clusterAddress), worker)
                .thenCompose(learnt -> questions.askStatus(clusterAddress));
    }

    private void learn(String clusterAddress) {
        List<ClusterId> all = questions.clusters(clusterAddress);
        List<ClusterId> named = all.stream().filter(id -> id.isNamed(name)).toList();
        ClusterId wanted = cluster.get().orElse(named.size() == 1 ? named.get(0) : null);
        if (wanted == null || !named.contains(wanted)) {
            throw new ReplicationException(
                    Kind.REFUSED,
                    "the node at " + clusterAddress + " is of "
                            + (all.isEmpty() ? "no cluster yet" : "cluster " + all.get(0)) + ", and this one "
                            + (cluster.get().isPresent() ? "of " + cluster.get().get() : "wants one named " + name));
        }
        cluster.set(Optional.of(wanted));
        questions.of(wanted);
    }

    /** Asks the replica of a node, as {@link RaftNode#ask} does. */
    public CompletableFuture<ByteBuffer> ask(Peer node, ByteBuffer question) {
        return questions.ask(node.clusterAddress(), question);
    }

    /**
     * Has the leader take the node of this id out of the cluster, if it is in it. Until it is taken in again, nobody
     * counts on what it held or on whom it voted for: this is for a node that has lost either.
     */
    public CompletableFuture<Void> forget(Peer leader, String id) {
        return questions.ask(leader.clusterAddress(), new Change.Forget(id), Origin.BROKER);
    }

    @Override
    public void close() {
        worker.shutdownNow();
        try {
            questions.close();
        } catch (IOException e) {
            LOG.warn("event=questions_not_closed next=\"none\"", e);
        }
    }
}
