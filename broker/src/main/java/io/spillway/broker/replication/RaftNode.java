package io.spillway.broker.replication;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.concurrent.CompletableFuture;

/**
 * This node's part in the cluster: one Raft group, one leader for everything.
 *
 * <p>{@link #propose} is for one thread; everything else is thread-safe.
 */
public final class RaftNode implements AutoCloseable {
    /** The largest entry. */
    public static final int MAX_ENTRY_BYTES = 3 << 20;
    /** The largest answer to {@link #ask}. */
    public static final int MAX_ANSWER_BYTES = 8 << 20;

    private RaftNode() {}

    /**
     * Starts the node from its directory; an empty one forms a cluster or asks the seeds for admission, for as long as
     * it takes, in the background.
     */
    public static RaftNode start(ReplicationConfig config, Replica replica) throws IOException {
        throw new UnsupportedOperationException(config + " " + replica);
    }

    /** Ends when this node is a member of a cluster: at once for one that forms it or was a member before. */
    public CompletableFuture<Void> joined() {
        throw new UnsupportedOperationException();
    }

    /**
     * Writes an entry into the agreed log, if this node leads. Entries of one caller stand there in the order of the
     * calls, also when the futures end otherwise.
     *
     * @return the entry's place, when it is committed and handed to {@link Replica#apply}; fails with a
     *     {@link ReplicationException}
     */
    public CompletableFuture<RaftPoint> propose(ByteBuffer entry) {
        throw new UnsupportedOperationException();
    }

    /** Asks a node, of any role; it answers by {@link Replica#answer}. Fails with a {@link ReplicationException}. */
    public CompletableFuture<ByteBuffer> ask(Peer node, ByteBuffer question) {
        throw new UnsupportedOperationException();
    }

    /** {@link Replica#durable} has moved: what the files hold may leave the log. Does not wait for it. */
    public void snapshotTaken() {
        throw new UnsupportedOperationException();
    }

    public ClusterStatus status() {
        throw new UnsupportedOperationException();
    }

    /** Admits a node that waits for it, or makes its new addresses and zone known; it listens at first. Any node. */
    public CompletableFuture<Void> addNode(Peer peer) {
        throw new UnsupportedOperationException();
    }

    /** Takes a node out of the cluster; the leader cannot be taken out. Any node. */
    public CompletableFuture<Void> removeNode(String id) {
        throw new UnsupportedOperationException();
    }

    /** Lets a listener vote, whatever the rule says. Any node. */
    public CompletableFuture<Void> promote(String id) {
        throw new UnsupportedOperationException();
    }

    /** Hands the leadership to a voter that has all. Any node. */
    public CompletableFuture<Void> transferLeadership(String id, int timeoutMs) {
        throw new UnsupportedOperationException();
    }

    @Override
    public void close() {}
}
