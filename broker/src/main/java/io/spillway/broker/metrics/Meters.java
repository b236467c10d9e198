package io.spillway.broker.metrics;

import io.micrometer.core.instrument.FunctionCounter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MultiGauge;
import io.micrometer.core.instrument.Tag;
import io.micrometer.core.instrument.Tags;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import io.prometheus.metrics.model.registry.Collector;
import io.prometheus.metrics.model.snapshots.ClassicHistogramBuckets;
import io.prometheus.metrics.model.snapshots.Exemplars;
import io.prometheus.metrics.model.snapshots.HistogramSnapshot;
import io.prometheus.metrics.model.snapshots.InfoSnapshot;
import io.prometheus.metrics.model.snapshots.Labels;
import io.prometheus.metrics.model.snapshots.MetricMetadata;
import io.prometheus.metrics.model.snapshots.MetricSnapshot;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.DoubleSupplier;
import java.util.function.LongSupplier;
import java.util.function.Supplier;

/**
 * Binds plain counters and figures to metrics. They are read when somebody scrapes; whoever counts only adds to a {@code
 * LongAdder} or a field. The suppliers are called on the scraping thread and must be safe there. Thread-safe.
 */
public final class Meters {
    private static final double NS_PER_SECOND = 1e9;

    private final PrometheusMeterRegistry registry;

    public Meters(PrometheusMeterRegistry registry) {
        this.registry = registry;
    }

    /** Binds a counter or a gauge to what the supplier says, with the values of the metric's labels. */
    public void bind(Metric metric, LongSupplier value, String... labelValues) {
        bind(metric, (DoubleSupplier) value::getAsLong, labelValues);
    }

    /** Binds a gauge to what the supplier says, which need not be whole. */
    public void bindFraction(Metric metric, DoubleSupplier value, String... labelValues) {
        bind(metric, value, labelValues);
    }

    /** Binds a metric in seconds to a supplier of nanoseconds. */
    public void bindSeconds(Metric metric, LongSupplier nanoseconds, String... labelValues) {
        bind(metric, (DoubleSupplier) () -> nanoseconds.getAsLong() / NS_PER_SECOND, labelValues);
    }

    /** Binds a metric that is nothing but its labels. */
    public void bindInfo(Metric metric, String... labelValues) {
        String suffix = "_info";
        String base = metric.name().substring(0, metric.name().length() - suffix.length());
        InfoSnapshot snapshot = new InfoSnapshot(
                new MetricMetadata(base, metric.doc()),
                List.of(new InfoSnapshot.InfoDataPointSnapshot(Labels.of(metric.labels(), List.of(labelValues)))));
        registry.getPrometheusRegistry().register(() -> snapshot);
    }

    /** Binds a histogram: for the values of its labels, the counts whose sums are shown. */
    public void bind(Metric metric, Map<List<String>, List<Histogram>> counts) {
        MetricMetadata metadata = new MetricMetadata(metric.name(), metric.doc());
        registry.getPrometheusRegistry().register(new Collector() {
            @Override
            public MetricSnapshot collect() {
                List<HistogramSnapshot.HistogramDataPointSnapshot> points = new ArrayList<>();
                counts.forEach((values, parts) -> points.add(point(Labels.of(metric.labels(), values), parts)));
                return new HistogramSnapshot(metadata, points);
            }

            @Override
            public String getPrometheusName() {
                return metric.name();
            }
        });
    }

    private static HistogramSnapshot.HistogramDataPointSnapshot point(Labels labels, List<Histogram> parts) {
        double[] ends = Histogram.endsSeconds();
        long[] sums = new long[ends.length];
        double seconds = 0;
        for (Histogram part : parts) {
            part.addTo(sums);
            seconds += part.sumSeconds();
        }
        return new HistogramSnapshot.HistogramDataPointSnapshot(
                ClassicHistogramBuckets.of(ends, sums), seconds, labels, Exemplars.EMPTY, 0);
    }

    /**
     * A gauge whose label values come and go; one that is not among them any more is not shown any more. A supplier may
     * say NaN.
     */
    public Rows rows(Metric metric) {
        return new Rows(
                metric,
                MultiGauge.builder(metric.name()).description(metric.doc()).register(registry));
    }

    /** Thread-safe. */
    public static final class Rows {
        private final Metric metric;
        private final MultiGauge gauge;

        private Rows(Metric metric, MultiGauge gauge) {
            this.metric = metric;
            this.gauge = gauge;
        }

        /** From now on these, by the values of the metric's labels. */
        public void set(Map<List<String>, DoubleSupplier> values) {
            List<MultiGauge.Row<?>> rows = new ArrayList<>();
            values.forEach((labels, value) -> rows.add(MultiGauge.Row.of(
                    Tags.of(tags(metric, labels.toArray(String[]::new))), (Supplier<Number>) value::getAsDouble)));
            gauge.register(rows, true);
        }
    }

    /**
     * Micrometer refers to the object it reads only weakly, but keeps the function: so the registry stands in for the
     * object, and the supplier lives as long as its meter.
     */
    private void bind(Metric metric, DoubleSupplier value, String... labelValues) {
        List<Tag> tags = tags(metric, labelValues);
        switch (metric.kind()) {
            case COUNTER ->
                FunctionCounter.builder(metric.name(), registry, unused -> value.getAsDouble())
                        .description(metric.doc())
                        .tags(tags)
                        .register(registry);
            case INFO, HISTOGRAM -> throw new IllegalArgumentException(metric.name() + " is no single figure");
            case GAUGE ->
                Gauge.builder(metric.name(), registry, unused -> value.getAsDouble())
                        .description(metric.doc())
                        .tags(tags)
                        .register(registry);
        }
    }

    private static List<Tag> tags(Metric metric, String... labelValues) {
        if (labelValues.length != metric.labels().size()) {
            throw new IllegalArgumentException(metric.name() + " has the labels " + metric.labels());
        }
        List<Tag> tags = new ArrayList<>(labelValues.length);
        for (int i = 0; i < labelValues.length; i++) {
            tags.add(Tag.of(metric.labels().get(i), labelValues[i]));
        }
        return tags;
    }
}
