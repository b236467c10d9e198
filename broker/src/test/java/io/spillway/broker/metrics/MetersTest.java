package io.spillway.broker.metrics;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.atomic.LongAdder;
import org.junit.jupiter.api.Test;

final class MetersTest {
    private final PrometheusMeterRegistry registry = new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);
    private final Meters meters = new Meters(registry);

    private void bind(Metric metric) {
        if (metric.kind() == Metric.Kind.HISTOGRAM) {
            Histogram one = new Histogram();
            one.add(1_000_000);
            meters.bind(metric, Map.of(metric.labels(), List.of(one)));
        } else if (metric.kind() == Metric.Kind.INFO) {
            meters.bindInfo(metric, metric.labels().toArray(new String[0]));
        } else {
            meters.bind(metric, () -> 1, metric.labels().toArray(new String[0]));
        }
    }

    private static String type(Metric metric) {
        return metric.kind() == Metric.Kind.INFO
                ? "gauge"
                : metric.kind().name().toLowerCase(Locale.ROOT);
    }

    @Test
    void everyMetricAppearsUnderItsOwnName() {
        MetricNames.ALL.forEach(this::bind);

        String page = registry.scrape();

        assertThat(MetricNames.ALL).allSatisfy(metric -> {
            String sample = metric.kind() == Metric.Kind.HISTOGRAM ? metric.name() + "_count" : metric.name();
            assertThat(page)
                    .containsPattern("(?m)^\\Q" + sample + "\\E(\\{.*})? 1(\\.0)?$")
                    .contains("# HELP " + metric.name() + " ")
                    .contains("# TYPE " + metric.name() + " " + type(metric));
        });
    }

    @Test
    void aHistogramHasTheSumOfItsPartsInGrowingBuckets() {
        Histogram one = new Histogram();
        Histogram other = new Histogram();
        one.add(100_000);
        one.add(2_000_000_000L);
        other.add(3_000_000);
        meters.bind(MetricNames.SYNC_DURATION, Map.of(List.of(), List.of(one, other)));

        assertThat(registry.scrape())
                .contains("spillway_log_sync_duration_seconds_bucket{le=\"1.0E-4\"} 1\n")
                .contains("spillway_log_sync_duration_seconds_bucket{le=\"0.0025\"} 1\n")
                .contains("spillway_log_sync_duration_seconds_bucket{le=\"0.005\"} 2\n")
                .contains("spillway_log_sync_duration_seconds_bucket{le=\"+Inf\"} 3\n")
                .contains("spillway_log_sync_duration_seconds_count 3\n")
                .containsPattern("spillway_log_sync_duration_seconds_sum 2\\.0031");
    }

    @Test
    void aCounterIsReadWhenSomebodyScrapes() {
        LongAdder records = new LongAdder();
        meters.bind(MetricNames.PUBLISHED_RECORDS, records::sum);
        records.add(5);

        assertThat(registry.scrape()).contains("spillway_published_records_total 5.0\n");

        records.add(2);
        assertThat(registry.scrape()).contains("spillway_published_records_total 7.0\n");
    }

    @Test
    void aBoundCounterSurvivesGarbageCollection() {
        meters.bind(MetricNames.PUBLISHED_RECORDS, new LongAdder()::sum);
        System.gc();

        assertThat(registry.scrape()).contains("spillway_published_records_total 0.0\n");
    }

    @Test
    void nanosecondsAreShownAsSeconds() {
        meters.bindSeconds(MetricNames.SYNC_SECONDS, () -> 1_500_000_000L);

        assertThat(registry.scrape()).contains("spillway_log_sync_seconds_total 1.5\n");
    }

    @Test
    void labelsMustBeGiven() {
        assertThatThrownBy(() -> meters.bind(MetricNames.LOG_BYTES, () -> 1))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("spillway_log_bytes has the labels [shard]");
    }
}
