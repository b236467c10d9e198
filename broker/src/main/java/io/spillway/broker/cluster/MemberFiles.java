package io.spillway.broker.cluster;

import io.spillway.broker.log.LogReplacement;
import io.spillway.broker.log.Quarantine;
import java.nio.file.Path;

/**
 * Where a node of a cluster keeps what.
 *
 * @param log the directory of the shard's log
 * @param raft the directory of the cluster's log
 * @param members the file with the nodes of the cluster
 */
public record MemberFiles(Path log, Path raft, Path members, Quarantine quarantine) {
    LogReplacement replacement() {
        return new LogReplacement(log);
    }
}
