package io.spillway.broker.metrics;

import java.util.List;

/**
 * A metric as Prometheus sees it.
 *
 * @param name with its base unit, and {@code _total} for a counter
 * @param labels the names of its labels, in the order in which {@link Meters} takes their values
 * @param doc what it counts, one sentence
 */
public record Metric(String name, Kind kind, List<String> labels, String doc) {
    /** How its value moves. */
    public enum Kind {
        /** Only ever grows while the process lives. */
        COUNTER,
        /** Is what it is now. */
        GAUGE,
        /** Always 1; its labels tell something. */
        INFO,
        /** How many took how long. */
        HISTOGRAM
    }

    static Metric counter(String name, String doc, String... labels) {
        return new Metric(name, Kind.COUNTER, List.of(labels), doc);
    }

    static Metric gauge(String name, String doc, String... labels) {
        return new Metric(name, Kind.GAUGE, List.of(labels), doc);
    }

    static Metric info(String name, String doc, String... labels) {
        return new Metric(name, Kind.INFO, List.of(labels), doc);
    }

    static Metric histogram(String name, String doc, String... labels) {
        return new Metric(name, Kind.HISTOGRAM, List.of(labels), doc);
    }
}
