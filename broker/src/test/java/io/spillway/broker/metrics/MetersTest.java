package io.spillway.broker.metrics;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import java.util.Locale;
import java.util.concurrent.atomic.LongAdder;
import org.junit.jupiter.api.Test;

final class MetersTest {
    private final PrometheusMeterRegistry registry = new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);
    private final Meters meters = new Meters(registry);

    @Test
    void everyMetricAppearsUnderItsOwnName() {
        MetricNames.ALL.forEach(
                metric -> meters.bind(metric, () -> 1, metric.labels().toArray(new String[0])));

        String page = registry.scrape();

        assertThat(MetricNames.ALL)
                .allSatisfy(metric -> assertThat(page)
                        .containsPattern("(?m)^\\Q" + metric.name() + "\\E(\\{.*})? 1\\.0$")
                        .contains("# HELP " + metric.name() + " ")
                        .contains("# TYPE " + metric.name() + " "
                                + metric.kind().name().toLowerCase(Locale.ROOT)));
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
