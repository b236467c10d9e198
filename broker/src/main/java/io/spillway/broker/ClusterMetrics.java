package io.spillway.broker;

import static io.spillway.broker.metrics.MetricNames.*;

import io.spillway.broker.cluster.ClusterMember;
import io.spillway.broker.cluster.ClusterView;
import io.spillway.broker.metrics.Meters;
import io.spillway.broker.replication.ClusterStatus;
import io.spillway.broker.replication.Peer;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.DoubleSupplier;
import java.util.function.Supplier;
import java.util.function.ToLongFunction;
import org.jspecify.annotations.Nullable;

/** The cluster's metrics, from its status at the time of a scrape. Thread-safe. */
final class ClusterMetrics {
    private static final double MS_PER_SECOND = 1e3;

    private final Supplier<@Nullable ClusterStatus> status;
    private final Meters.Rows lag;
    private final Meters.Rows contact;
    private final Meters.Rows zoneLag;

    ClusterMetrics(Meters meters, ClusterMember cluster) {
        this(meters, cluster::status, cluster::view);
        meters.bind(CLUSTER_REPAIRS, cluster::repairs);
        meters.bind(CLUSTER_RETURNING, () -> cluster.returning().isEmpty() ? 0 : 1);
        meters.bind(QUARANTINED, () -> cluster.quarantine().size());
    }

    /** @param status null: not known yet */
    ClusterMetrics(Meters meters, Supplier<@Nullable ClusterStatus> status, Supplier<ClusterView> view) {
        this.status = status;
        meters.bind(CLUSTER_TERM, () -> figure(ClusterStatus::term));
        meters.bind(CLUSTER_COMMIT, () -> figure(ClusterStatus::commit));
        meters.bind(CLUSTER_APPLIED, () -> figure(ClusterStatus::applied));
        meters.bind(CLUSTER_LEADER, () -> view.get().leads() ? 1 : 0);
        lag = meters.rows(CLUSTER_LAG);
        contact = meters.rows(CLUSTER_CONTACT);
        zoneLag = meters.rows(CLUSTER_ZONE_LAG);
    }

    private long figure(ToLongFunction<ClusterStatus> which) {
        ClusterStatus now = status.get();
        return now == null ? 0 : which.applyAsLong(now);
    }

    /** These nodes are in the cluster now. */
    void nodes(List<Peer> nodes) {
        Map<List<String>, DoubleSupplier> lags = new LinkedHashMap<>();
        Map<List<String>, DoubleSupplier> contacts = new LinkedHashMap<>();
        for (Peer node : nodes) {
            List<String> labels = List.of(node.id(), node.zone());
            lags.put(labels, () -> known(node.id(), ClusterStatus.Node::lagEntries, 1));
            contacts.put(labels, () -> known(node.id(), ClusterStatus.Node::lastContactMs, MS_PER_SECOND));
        }
        lag.set(lags);
        contact.set(contacts);
        Map<List<String>, DoubleSupplier> zones = new LinkedHashMap<>();
        nodes.forEach(node -> zones.put(List.of(node.zone()), () -> lagOf(node.zone())));
        zoneLag.set(zones);
    }

    private double lagOf(String zone) {
        ClusterStatus now = status.get();
        long lagMs = now == null || !now.isLeading() ? ClusterStatus.UNKNOWN : now.zoneLagMs(zone);
        return lagMs == ClusterStatus.UNKNOWN ? Double.NaN : lagMs / MS_PER_SECOND;
    }

    /** NaN to all but the leader: what others believe of a node is old. */
    private double known(String id, ToLongFunction<ClusterStatus.Node> figure, double unit) {
        ClusterStatus now = status.get();
        if (now == null || !now.isLeading()) {
            return Double.NaN;
        }
        return now.nodes().stream()
                .filter(node -> node.peer().id().equals(id))
                .mapToLong(figure)
                .filter(value -> value != ClusterStatus.UNKNOWN)
                .mapToDouble(value -> value / unit)
                .findFirst()
                .orElse(Double.NaN);
    }
}
