package io.spillway.broker.tracing;

import java.net.URI;

/**
 * Settings of tracing.
 *
 * @param endpoint of a collector, OTLP over HTTP; empty = no spans are made
 * @param sampleRatio of the traces that publishers sample, the share for which spans are made, 0 to 1
 * @param exportTimeoutMs how long one export may take
 * @param queueSpans spans that may wait; what comes beyond them is counted and dropped
 */
public record TracingConfig(String endpoint, double sampleRatio, long exportTimeoutMs, int queueSpans) {
    private static final String TRACES_PATH = "/v1/traces";

    public boolean isOn() {
        return !endpoint.isEmpty();
    }

    /** Where exports are posted: an endpoint without a path gets OTLP's. */
    String url() {
        String path = URI.create(endpoint).getPath();
        boolean isBare = path == null || path.isEmpty() || path.equals("/");
        return isBare ? endpoint.replaceAll("/$", "") + TRACES_PATH : endpoint;
    }
}
