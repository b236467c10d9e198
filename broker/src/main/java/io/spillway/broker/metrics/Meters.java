package io.spillway.broker.metrics;

import io.micrometer.core.instrument.FunctionCounter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.MultiGauge;
import io.micrometer.core.instrument.Tag;
import io.micrometer.core.instrument.Tags;
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

    private final MeterRegistry registry;

    public Meters(MeterRegistry registry) {
        this.registry = registry;
    }

    /** Binds a counter or a gauge to what the supplier says, with the values of the metric's labels. */
    public void bind(Metric metric, LongSupplier value, String... labelValues) {
        bind(metric, (DoubleSupplier) value::getAsLong, labelValues);
    }

    /** Binds a metric in seconds to a supplier of nanoseconds. */
    public void bindSeconds(Metric metric, LongSupplier nanoseconds, String... labelValues) {
        bind(metric, (DoubleSupplier) () -> nanoseconds.getAsLong() / NS_PER_SECOND, labelValues);
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
