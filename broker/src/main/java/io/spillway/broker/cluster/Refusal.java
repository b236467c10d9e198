package io.spillway.broker.cluster;

import io.spillway.broker.base.SpillwayException;
import io.spillway.broker.replication.ReplicationException;
import io.spillway.protocol.Code;

/** What the shard hears when the cluster did not take what it proposed. */
final class Refusal {
    private Refusal() {}

    static SpillwayException of(Throwable failure) {
        Throwable cause = failure.getCause() != null ? failure.getCause() : failure;
        boolean busy = cause instanceof ReplicationException known && known.kind() == ReplicationException.Kind.BUSY;
        return new SpillwayException(
                busy ? Code.OVERLOADED : Code.REPLICATION_TIMEOUT,
                "the cluster did not agree",
                String.valueOf(cause.getMessage()),
                "try again; what was agreed on is not done twice",
                100,
                cause);
    }
}
