package io.spillway.broker.metrics;

import io.micrometer.core.instrument.FunctionCounter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Tag;
import java.util.ArrayList;
import java.util.List;
import java.util.function.DoubleSupplier;
import java.util.function.LongSupplier;

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
