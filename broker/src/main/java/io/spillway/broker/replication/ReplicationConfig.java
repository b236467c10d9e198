package io.spillway.broker.replication;

import io.spillway.broker.base.ListenAddress;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * How a node takes part in a cluster.
 *
 * @param cluster the cluster's name, the same on all its nodes; nodes of another name are refused
 * @param self this node as the others shall know it
 * @param listen where to accept the other nodes
 * @param seeds cluster addresses of nodes to ask for admission, while the directory is empty; none (or only the own
 *     address) = form a new cluster of this node alone
 * @param dir where the agreed log is kept until the broker's own files hold it
 * @param electionMinMs after how long without a word from the leader to stand for election, at least
 * @param electionMaxMs the same, at most; each node draws between the two
 * @param maxVoters how many nodes vote, at most; the rule is in {@link VoterRule}
 * @param maxPendingBytes what may wait for its majority, and what may wait to be applied
 * @param preservedBytes how much of the log stays below the durable point, for nodes that were away for a short while; the
 *     directory holds up to twice as much
 * @param segmentBytes the log leaves in files of this size
 * @param tls null = plain text
 */
public record ReplicationConfig(
        String cluster,
        Peer self,
        ListenAddress listen,
        List<String> seeds,
        Path dir,
        int electionMinMs,
        int electionMaxMs,
        int maxVoters,
        int maxPendingBytes,
        long preservedBytes,
        int segmentBytes,
        @Nullable Tls tls) {
    public static final String DEFAULT_CLUSTER = "spillway";
    public static final int DEFAULT_ELECTION_MIN_MS = 300;
    public static final int DEFAULT_ELECTION_MAX_MS = 600;
    public static final int DEFAULT_MAX_VOTERS = 3;
    public static final int DEFAULT_MAX_PENDING_BYTES = 32 << 20;
    public static final long DEFAULT_PRESERVED_BYTES = 1L << 30;
    public static final int DEFAULT_SEGMENT_BYTES = 4 << 20;

    /**
     * Mutual TLS between the nodes: each shows its certificate and accepts those that the authority signed. A
     * certificate names the host of the node's cluster address.
     *
     * @param certificate PEM, the node's own and its chain
     * @param key PEM, PKCS #8, not encrypted
     * @param authority PEM, whom to trust
     */
    public record Tls(Path certificate, Path key, Path authority) {}

    public ReplicationConfig {
        seeds = List.copyOf(seeds);
        check(!cluster.isBlank(), "the cluster's name is empty");
        check(listen.port() > 0, "a cluster address needs a port of 1 or more, not " + listen);
        check(
                electionMinMs >= 50 && electionMaxMs > electionMinMs,
                "election times of " + electionMinMs + " to " + electionMaxMs + " ms: at least 50, and not equal");
        check(maxVoters >= 1 && maxVoters <= 9, "voters: 1 to 9, not " + maxVoters);
        check(
                maxPendingBytes >= RaftNode.MAX_ENTRY_BYTES,
                "pending bytes: at least one entry's, not " + maxPendingBytes);
        check(preservedBytes >= 0, "preserved bytes: 0 or more, not " + preservedBytes);
        check(segmentBytes >= 1 << 10, "segment bytes: at least 1024, not " + segmentBytes);
    }

    private static void check(boolean isRight, String message) {
        if (!isRight) {
            throw new IllegalArgumentException(message);
        }
    }

    /** With the defaults. */
    public static ReplicationConfig of(Peer self, ListenAddress listen, List<String> seeds, Path dir) {
        return new ReplicationConfig(
                DEFAULT_CLUSTER,
                self,
                listen,
                seeds,
                dir,
                DEFAULT_ELECTION_MIN_MS,
                DEFAULT_ELECTION_MAX_MS,
                DEFAULT_MAX_VOTERS,
                DEFAULT_MAX_PENDING_BYTES,
                DEFAULT_PRESERVED_BYTES,
                DEFAULT_SEGMENT_BYTES,
                null);
    }

    public ReplicationConfig withTls(Tls newTls) {
        return new ReplicationConfig(
                cluster,
                self,
                listen,
                seeds,
                dir,
                electionMinMs,
                electionMaxMs,
                maxVoters,
                maxPendingBytes,
                preservedBytes,
                segmentBytes,
                newTls);
    }

    /** How much of the log stays below the durable point, in bytes, and leaves in files of which size. */
    public ReplicationConfig withLog(long newPreservedBytes, int newSegmentBytes) {
        return new ReplicationConfig(
                cluster,
                self,
                listen,
                seeds,
                dir,
                electionMinMs,
                electionMaxMs,
                maxVoters,
                maxPendingBytes,
                newPreservedBytes,
                newSegmentBytes,
                tls);
    }

    public ReplicationConfig withSeeds(List<String> newSeeds) {
        return new ReplicationConfig(
                cluster,
                self,
                listen,
                newSeeds,
                dir,
                electionMinMs,
                electionMaxMs,
                maxVoters,
                maxPendingBytes,
                preservedBytes,
                segmentBytes,
                tls);
    }

    /** Whom to ask for admission: not oneself. */
    public List<String> otherSeeds() {
        return seeds.stream()
                .filter(seed -> !seed.equals(self.clusterAddress()))
                .toList();
    }
}
