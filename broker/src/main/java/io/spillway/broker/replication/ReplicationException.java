package io.spillway.broker.replication;

import java.io.Serial;
import org.jspecify.annotations.Nullable;

/** Why the cluster did not do what it was asked to. */
public final class ReplicationException extends RuntimeException {
    @Serial
    private static final long serialVersionUID = 1;

    /** What the caller may conclude. */
    public enum Kind {
        /** Another node leads, or none does yet. Nothing was written. */
        NOT_LEADER,
        /** As much as allowed waits for its majority. Nothing was written; try again when something has committed. */
        BUSY,
        /** The entry is larger than {@link RaftNode#MAX_ENTRY_BYTES}. Nothing was written. */
        TOO_LARGE,
        /** This node is closed. Nothing was written. */
        CLOSED,
        /** The entry was written here but leadership was lost, or the node closed, before it committed: it may yet commit. */
        UNKNOWN,
        /** The node asked did not answer in time, or cannot be reached. */
        UNREACHABLE,
        /** A change of the cluster that its rules or its state do not allow; the message says which. */
        REFUSED
    }

    private final Kind kind;
    private final transient @Nullable Peer leader;

    public ReplicationException(Kind kind, String message) {
        this(kind, message, null, null);
    }

    ReplicationException(Kind kind, String message, @Nullable Peer leader, @Nullable Throwable cause) {
        super(message, cause);
        this.kind = kind;
        this.leader = leader;
    }

    public Kind kind() {
        return kind;
    }

    /** With {@link Kind#NOT_LEADER}: who leads, as far as this node knows. */
    public @Nullable Peer leader() {
        return leader;
    }
}
