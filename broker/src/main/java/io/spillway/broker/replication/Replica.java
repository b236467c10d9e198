package io.spillway.broker.replication;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.concurrent.CompletableFuture;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * What a broker does with what the cluster agreed on. Called by the threads of {@link RaftNode}: {@code apply} and
 * {@code leading} by one of them in the order of the log, {@code leading} and {@code following} one after the other;
 * none of these may block for long. An exception thrown by {@code apply} stops this node.
 */
public interface Replica {
    /**
     * Takes up a committed entry; the buffer is read-only and stays valid. Entries come in order, without gaps but for
     * the cluster's own entries between them, and without waiting for the futures of earlier ones, up to a bound of
     * bytes not yet applied. Nothing at or below the durable point of the start, or of the last install, is handed over.
     *
     * @return ends when the entry is applied; failing it stops this node
     */
    CompletableFuture<?> apply(long term, long index, ByteBuffer entry);

    /** This node was elected in the term, and every entry of earlier terms has been handed over. */
    void leading(long term);

    /** This node does not lead, or not any more; called again when the leader becomes known or changes. */
    void following(long term, @Nullable Peer leader);

    /**
     * Up to where this node's own files hold everything, synced; {@link RaftPoint#NONE} at first. What is at or below
     * it may leave the cluster's log, and after a restart what is above it is handed over again. At the start it covers
     * all that was recovered. May be asked by any thread at any time.
     */
    RaftPoint durable();

    /**
     * What this node needs next has left the leader's log: bring the files up by asking the leader
     * ({@link RaftNode#ask}). No entry is handed over meanwhile; the next one is the one after the point returned.
     * Called again, after a pause, when it fails; a point that is not ahead of {@link #durable()} counts as nothing
     * done.
     *
     * @return the new durable point
     */
    CompletableFuture<RaftPoint> install(Peer leader);

    /** Answers another node's {@link RaftNode#ask}; at most {@link RaftNode#MAX_ANSWER_BYTES}. Not in order with apply. */
    CompletableFuture<ByteBuffer> answer(ByteBuffer question);

    /**
     * Does what an operator asked the cluster for, and writes down that it was asked and what came of it. On the leader.
     *
     * @param act does it, once; fails with a {@link ReplicationException}
     * @return ends as the act does, or fails with a {@link ReplicationException} when it is not done
     */
    CompletableFuture<Void> perform(Deed deed, Supplier<CompletableFuture<Void>> act);

    /** Whether this node is made not to hear that one. Asked for each of its calls, by any thread; for rehearsals. */
    default boolean isCutFrom(String node) {
        return false;
    }

    /** Called before each sync of the cluster's log, by the thread that does it; may take its time, or fail it. For rehearsals. */
    default void beforeSync() throws IOException {}

    /**
     * This node stopped by itself and takes no part any more: it was taken out of the cluster, its log cannot be written,
     * or an entry could not be applied. It must be closed; nothing else is called after this.
     *
     * @param next what an operator should do
     */
    void stopped(String why, String next, @Nullable Throwable cause);
}
