package io.spillway.broker.tracing;

import io.opentelemetry.api.metrics.MeterProvider;
import io.opentelemetry.exporter.otlp.http.trace.OtlpHttpSpanExporter;
import io.opentelemetry.sdk.common.CompletableResultCode;
import io.opentelemetry.sdk.trace.data.SpanData;
import io.opentelemetry.sdk.trace.export.SpanExporter;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.logging.Level;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The way to the collector: OTLP over HTTP. Confined to one thread. */
final class Collector implements AutoCloseable {
    /** What the exporter says goes elsewhere than our log; we say the same once, with what to do. */
    private static final java.util.logging.Logger EXPORTER = java.util.logging.Logger.getLogger("io.opentelemetry");

    static {
        EXPORTER.setLevel(Level.OFF);
    }

    private static final Logger LOG = LoggerFactory.getLogger(Collector.class);

    private final String url;
    private final long timeoutMs;
    private final SpanExporter exporter;
    private boolean failing;

    Collector(TracingConfig config) {
        url = config.url();
        timeoutMs = config.exportTimeoutMs();
        exporter = OtlpHttpSpanExporter.builder()
                .setEndpoint(url)
                .setTimeout(timeoutMs, TimeUnit.MILLISECONDS)
                .setConnectTimeout(timeoutMs, TimeUnit.MILLISECONDS)
                .setRetryPolicy(null)
                .setMeterProvider(MeterProvider.noop())
                .build();
    }

    /** Whether the collector has them. */
    boolean send(List<SpanData> spans) {
        CompletableResultCode result = exporter.export(spans).join(timeoutMs, TimeUnit.MILLISECONDS);
        if (result.isSuccess() && failing) {
            LOG.info("event=spans_exported_again to={}", url);
        } else if (!result.isSuccess() && !failing) {
            LOG.warn(
                    "event=spans_not_exported to={} why=\"{}\" next=\"look whether a collector takes OTLP over HTTP there; "
                            + "spillway_trace_spans_lost_total counts what is lost\"",
                    url,
                    why(result.getFailureThrowable()));
        }
        failing = !result.isSuccess();
        return result.isSuccess();
    }

    private String why(@Nullable Throwable failure) {
        if (failure == null) {
            return "no answer in " + timeoutMs + " ms";
        }
        // What the exporter wraps an answer in says nothing of it.
        Throwable cause = failure.getCause();
        return cause == null ? "the answer was a refusal" : cause.toString();
    }

    @Override
    public void close() {
        exporter.shutdown().join(timeoutMs, TimeUnit.MILLISECONDS);
    }
}
