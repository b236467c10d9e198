package io.spillway.broker.replication;

import io.spillway.broker.replication.ReplicationException.Kind;
import java.util.concurrent.CompletionException;
import org.apache.ratis.protocol.RaftPeer;
import org.apache.ratis.protocol.exceptions.NotLeaderException;
import org.apache.ratis.protocol.exceptions.ResourceUnavailableException;
import org.jspecify.annotations.Nullable;

/** What Ratis' exceptions mean to who proposed. */
final class Failures {
    private Failures() {}

    /** What a future's wrapping hides. */
    static Throwable cause(Throwable failure) {
        Throwable cause = failure;
        while (cause instanceof CompletionException && cause.getCause() != null) {
            cause = cause.getCause();
        }
        return cause;
    }

    /** @param isWritten the entry went into this node's log before it failed: it may yet commit */
    static ReplicationException ofProposal(Throwable failure, boolean isWritten) {
        Throwable cause = cause(failure);
        if (isWritten) {
            return new ReplicationException(
                    Kind.UNKNOWN, "leadership ended before the entry had its majority; it may yet commit", null, cause);
        }
        if (cause instanceof ResourceUnavailableException) {
            return new ReplicationException(Kind.BUSY, "too much waits for its majority", null, cause);
        }
        return new ReplicationException(
                Kind.NOT_LEADER, "this node does not lead, or not yet: " + cause.getMessage(), leader(cause), cause);
    }

    private static @Nullable Peer leader(Throwable cause) {
        RaftPeer leader = cause instanceof NotLeaderException other ? other.getSuggestedLeader() : null;
        return leader == null ? null : Peers.of(leader);
    }
}
