package io.spillway.client.micrometer;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Tags;
import io.micrometer.core.instrument.Timer;
import io.spillway.client.ClientMetrics;
import io.spillway.client.Health;
import io.spillway.client.Pressure;
import io.spillway.client.SpillwayException;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Counts what clients do, under the names that the Go client's Prometheus adapter has: {@code spillway.client.records.sent} is
 * {@code spillway_client_records_sent_total} in Prometheus. Several clients may share one. Thread-safe.
 *
 * <pre>{@code
 * SpillwayClient.builder().metrics(new MicrometerMetrics(registry)).connect();
 * }</pre>
 */
public final class MicrometerMetrics implements ClientMetrics {
    private static final String PREFIX = "spillway.client.";

    private final MeterRegistry registry;
    private final AtomicInteger health;
    private final Map<String, AtomicInteger> pressures = new ConcurrentHashMap<>();

    public MicrometerMetrics(MeterRegistry registry) {
        this.registry = registry;
        health = gauge("health.state", Tags.empty());
    }

    private AtomicInteger gauge(String name, Tags tags) {
        return Objects.requireNonNull(registry.gauge(PREFIX + name, tags, new AtomicInteger()));
    }

    private Counter counter(String name, String... tags) {
        return registry.counter(PREFIX + name, tags);
    }

    @Override
    public void onConnected(String endpoint) {
        counter("connections", "endpoint", endpoint).increment();
    }

    @Override
    public void onDisconnected(String endpoint, SpillwayException cause) {
        counter("disconnections", "endpoint", endpoint, "reason", cause.reason())
                .increment();
    }

    @Override
    public void onBatchSent(String topic, int partition, int records, int bytes, int attempt) {
        counter("records.sent", "topic", topic).increment(records);
        counter("sent.bytes", "topic", topic).increment(bytes);
        if (attempt > 1) {
            counter("batches.resent", "topic", topic).increment();
        }
    }

    @Override
    public void onBatchAcked(String topic, int partition, int records, long latencyNs) {
        counter("records.acked", "topic", topic).increment(records);
        Timer.builder(PREFIX + "ack.latency")
                .tag("topic", topic)
                .publishPercentileHistogram()
                .register(registry)
                .record(latencyNs, TimeUnit.NANOSECONDS);
    }

    @Override
    public void onPublishFailed(String topic, int partition, int records, SpillwayException error) {
        counter("records.failed", "topic", topic, "reason", error.reason()).increment(records);
    }

    @Override
    public void onThrottled(String scope, long retryAfterMs) {
        counter("throttled", "scope", scope).increment();
    }

    /** Shows the state: 0 normal, 1 elevated, 2 throttled, 3 overloaded, 4 read-only. */
    @Override
    public void onPressure(Pressure pressure) {
        pressures
                .computeIfAbsent(pressure.of(), of -> gauge("pressure.state", Tags.of("of", of)))
                .set(pressure.level().ordinal());
    }

    /** Shows the state: 0 ready, 1 degraded, 2 critical, 3 draining. */
    @Override
    public void onHealth(Health now) {
        health.set(now.state().ordinal());
    }

    @Override
    public void onBatchReceived(String topic, int partition, int records, int bytes) {
        counter("records.received", "topic", topic).increment(records);
        counter("received.bytes", "topic", topic).increment(bytes);
    }
}
