package io.spillway.broker;

import io.spillway.broker.base.ListenAddress;
import io.spillway.broker.base.SpillwayException;
import io.spillway.broker.cluster.Checkup;
import io.spillway.broker.cluster.MemberTerms;
import io.spillway.broker.config.EffectiveSettings;
import io.spillway.broker.config.Settings;
import io.spillway.broker.replication.Peer;
import io.spillway.broker.replication.ReplicationConfig;
import io.spillway.protocol.Code;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;

/**
 * How a broker takes part in a cluster.
 *
 * @param listen where the other nodes connect; empty = the broker stands alone
 * @param advertise where clients reach this node; empty = where it listens
 * @param clusterAdvertise where the other nodes reach this node; empty = where it listens for them
 * @param tls certificate, key and authority; all empty = plain text
 */
public record ClusterConfig(
        String name,
        String zone,
        String listen,
        List<String> seeds,
        String advertise,
        String clusterAdvertise,
        MemberTerms terms,
        List<String> tls) {

    static ClusterConfig of(EffectiveSettings from) {
        return new ClusterConfig(
                from.get(Settings.CLUSTER_NAME),
                from.get(Settings.ZONE),
                from.get(Settings.CLUSTER_LISTEN),
                list(from.get(Settings.SEED)),
                from.get(Settings.ADVERTISE),
                from.get(Settings.CLUSTER_ADVERTISE),
                new MemberTerms(from.get(Settings.FOLLOWER_READ_MAX_LAG_MS), list(from.get(Settings.ZONE_ORDER))),
                List.of(
                        from.get(Settings.CLUSTER_TLS_CERTIFICATE),
                        from.get(Settings.CLUSTER_TLS_KEY),
                        from.get(Settings.CLUSTER_TLS_AUTHORITY)));
    }

    private static List<String> list(String text) {
        return Stream.of(text.split(",")).filter(part -> !part.isEmpty()).toList();
    }

    Checkup.Identity identity(String nodeId) {
        return new Checkup.Identity(name, nodeId, address(), seeds);
    }

    /** Where the other nodes reach this one. */
    private String address() {
        return clusterAdvertise.isEmpty() ? listen : clusterAdvertise;
    }

    boolean isMember() {
        return !listen.isEmpty();
    }

    /**
     * For the engine.
     *
     * @param bound where clients connect
     * @throws SpillwayException INVALID_ARGUMENT when an address or the TLS files cannot be meant
     */
    ReplicationConfig forNode(String nodeId, InetSocketAddress bound, Path directory) {
        try {
            String clients = advertise.isEmpty() ? bound.getHostString() + ":" + bound.getPort() : advertise;
            ListenAddress address = ListenAddress.parse(listen)
                    .orElseThrow(() -> new IllegalArgumentException("cluster-listen is " + listen));
            ReplicationConfig config = new ReplicationConfig(
                    name,
                    new Peer(nodeId, zone, address(), clients),
                    address,
                    seeds,
                    directory,
                    ReplicationConfig.DEFAULT_ELECTION_MIN_MS,
                    ReplicationConfig.DEFAULT_ELECTION_MAX_MS,
                    ReplicationConfig.DEFAULT_MAX_VOTERS,
                    ReplicationConfig.DEFAULT_MAX_PENDING_BYTES,
                    ReplicationConfig.DEFAULT_PRESERVED_BYTES,
                    ReplicationConfig.DEFAULT_SEGMENT_BYTES,
                    null);
            return tls.stream().allMatch(String::isEmpty) ? config : config.withTls(tlsFiles());
        } catch (IllegalArgumentException e) {
            throw new SpillwayException(
                    Code.INVALID_ARGUMENT,
                    "the broker cannot join a cluster like that",
                    String.valueOf(e.getMessage()),
                    "correct the setting",
                    0,
                    e);
        }
    }

    private ReplicationConfig.Tls tlsFiles() {
        if (tls.stream().anyMatch(String::isEmpty)) {
            throw new IllegalArgumentException(
                    "of cluster-tls.certificate, cluster-tls.key and cluster-tls.authority some are set, not all");
        }
        return new ReplicationConfig.Tls(Path.of(tls.get(0)), Path.of(tls.get(1)), Path.of(tls.get(2)));
    }
}
