package io.spillway.broker;

import static org.assertj.core.api.Assertions.assertThat;

import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import io.spillway.broker.cluster.ClusterView;
import io.spillway.broker.metrics.Meters;
import io.spillway.broker.replication.ClusterStatus;
import io.spillway.broker.replication.ClusterStatus.Node;
import io.spillway.broker.replication.ClusterStatus.Role;
import io.spillway.broker.replication.Peer;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class ClusterMetricsTest {
    private static final Peer N1 = new Peer("n1", "a", "h:1", "h:2");
    private static final Peer N2 = new Peer("n2", "b", "h:3", "h:4");

    private final PrometheusMeterRegistry registry = new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);
    private @Nullable ClusterStatus status;
    private ClusterView view = new ClusterView(false, null, List.of(), 0, false, "", "do this");
    private final ClusterMetrics metrics = new ClusterMetrics(new Meters(registry), () -> status, () -> view);

    private static ClusterStatus status(String self, Peer leader) {
        return new ClusterStatus(
                "c",
                "",
                self,
                3,
                20,
                17,
                16,
                leader,
                List.of(
                        new Node(N1, Role.VOTER, leader == N1, 17, 0, 0, 0),
                        new Node(N2, Role.VOTER, leader == N2, 12, 5, 400, 1_500)));
    }

    @Test
    void aLeaderShowsHowFarTheOthersAre() {
        status = status("n1", N1);
        view = new ClusterView(true, N1, List.of(N1, N2), 2, false, "", "do this");
        metrics.nodes(view.nodes());

        assertThat(registry.scrape())
                .contains(
                        "spillway_cluster_term 3.0\n",
                        "spillway_cluster_commit_index 17.0\n",
                        "spillway_cluster_applied_index 16.0\n",
                        "spillway_cluster_is_leader 1.0\n",
                        "spillway_cluster_lag_entries{node=\"n1\",zone=\"a\"} 0.0\n",
                        "spillway_cluster_lag_entries{node=\"n2\",zone=\"b\"} 5.0\n",
                        "spillway_cluster_zone_lag_seconds{zone=\"a\"} 0.0\n",
                        "spillway_cluster_zone_lag_seconds{zone=\"b\"} 0.4\n",
                        "spillway_cluster_last_contact_seconds{node=\"n2\",zone=\"b\"} 1.5\n");
    }

    @Test
    void aFollowerDoesNotPretendToKnow() {
        status = status("n2", N1);
        metrics.nodes(List.of(N1, N2));

        assertThat(registry.scrape())
                .contains(
                        "spillway_cluster_is_leader 0.0\n",
                        "spillway_cluster_lag_entries{node=\"n2\",zone=\"b\"} NaN\n",
                        "spillway_cluster_zone_lag_seconds{zone=\"b\"} NaN\n",
                        "spillway_cluster_last_contact_seconds{node=\"n2\",zone=\"b\"} NaN\n");
    }

    @Test
    void aNodeThatWasRemovedIsNotShownAnyMore() {
        status = status("n1", N1);
        metrics.nodes(List.of(N1, N2));

        metrics.nodes(List.of(N1));

        assertThat(registry.scrape()).contains("node=\"n1\"").doesNotContain("node=\"n2\"");
    }

    @Test
    void beforeTheNodeTakesPartThereIsNothingToShow() {
        metrics.nodes(List.of(N1));

        assertThat(registry.scrape())
                .contains("spillway_cluster_term 0.0\n", "spillway_cluster_lag_entries{node=\"n1\",zone=\"a\"} NaN\n");
    }
}
