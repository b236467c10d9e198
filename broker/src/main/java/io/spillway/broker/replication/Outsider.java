package io.spillway.broker.replication;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.concurrent.CompletableFuture;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A node that takes no part in its cluster now, and asks those that do: who leads, for files, to be forgotten. It does not
 * vote, and holds nothing for anybody, because no {@link RaftNode} runs. Thread-safe.
 */
public final class Outsider implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Outsider.class);

    private final Questions questions;

    public Outsider(ReplicationConfig config) {
        questions = new Questions(
                RaftSettings.group(config.cluster()), RaftSettings.properties(config), RaftSettings.parameters(config));
    }

    /** How a node sees the cluster. Fails with a {@link ReplicationException}. */
    public CompletableFuture<ClusterStatus> status(String clusterAddress) {
        return questions.askStatus(clusterAddress);
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
        try {
            questions.close();
        } catch (IOException e) {
            LOG.warn("questions_not_closed", e);
        }
    }
}
