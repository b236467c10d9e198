package io.spillway.broker.cluster;

import io.spillway.broker.replication.ClusterStatus;
import io.spillway.broker.replication.Origin;
import io.spillway.broker.replication.RaftNode;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Who leads after this node, when it does not want to any more. */
final class Succession {
    private static final Logger LOG = LoggerFactory.getLogger(Succession.class);
    /** Who takes over has been heard of within so many ms and lacks fewer entries than this. */
    private static final long HEARD_MS = 1_000;

    private static final long LAG = 1_000;

    private Succession() {}

    /** Lets the first voter that is able to lead do so, when this node leads; waits for at most this long for each. */
    static void handOver(RaftNode running, long timeoutMs) {
        ClusterStatus status = running.status();
        if (!status.isLeading()) {
            return;
        }
        for (ClusterStatus.Node other : status.nodes()) {
            if (isAble(other) && handOver(running, other.peer().id(), timeoutMs)) {
                return;
            }
        }
    }

    static boolean isAble(ClusterStatus.Node other) {
        return other.role() == ClusterStatus.Role.VOTER
                && !other.isLeader()
                && other.lastContactMs() >= 0
                && other.lastContactMs() < HEARD_MS
                && other.lagEntries() < LAG;
    }

    static boolean handOver(RaftNode running, String id, long timeoutMs) {
        try {
            running.transferLeadership(id, (int) timeoutMs, Origin.BROKER).get(timeoutMs, TimeUnit.MILLISECONDS);
            LOG.info("event=leadership_handed_over to={}", id);
            return true;
        } catch (ExecutionException | TimeoutException e) {
            LOG.warn(
                    "event=leadership_not_handed_over to={} why=\"{}\" next=\"none; another node is tried, or elected\"",
                    id,
                    e.toString());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        return false;
    }
}
