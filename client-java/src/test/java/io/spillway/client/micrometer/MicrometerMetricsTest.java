package io.spillway.client.micrometer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.spillway.client.Health;
import io.spillway.client.HealthState;
import io.spillway.client.Pressure;
import io.spillway.client.PressureLevel;
import io.spillway.client.SpillwayClient;
import io.spillway.client.SpillwayException;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

final class MicrometerMetricsTest {
    private static final String NOBODY = "127.0.0.1:1";

    private final SimpleMeterRegistry registry = new SimpleMeterRegistry();
    private final MicrometerMetrics metrics = new MicrometerMetrics(registry);

    private double count(String name, String... tags) {
        return registry.get("spillway.client." + name).tags(tags).counter().count();
    }

    private double gauge(String name, String... tags) {
        return registry.get("spillway.client." + name).tags(tags).gauge().value();
    }

    @Test
    void countsWhatAClientDoes() {
        metrics.onBatchSent("orders", 0, 100, 5_000, 1);
        metrics.onBatchSent("orders", 1, 10, 500, 2);
        metrics.onBatchAcked("orders", 0, 100, 2_000_000);
        metrics.onBatchReceived("orders", 0, 7, 70);
        metrics.onThrottled("connection", 5);

        assertThat(count("records.sent", "topic", "orders")).isEqualTo(110);
        assertThat(count("sent.bytes", "topic", "orders")).isEqualTo(5_500);
        assertThat(count("batches.resent", "topic", "orders")).isEqualTo(1);
        assertThat(count("records.acked", "topic", "orders")).isEqualTo(100);
        assertThat(count("records.received", "topic", "orders")).isEqualTo(7);
        assertThat(count("received.bytes", "topic", "orders")).isEqualTo(70);
        assertThat(count("throttled", "scope", "connection")).isEqualTo(1);
        assertThat(registry.get("spillway.client.ack.latency").timer().max(TimeUnit.MILLISECONDS))
                .isEqualTo(2);
    }

    @Test
    void showsHowBrokerAndClientAre() {
        metrics.onPressure(new Pressure(PressureLevel.OVERLOADED, List.of(), "connection", "broker", Duration.ZERO));
        metrics.onPressure(new Pressure(PressureLevel.THROTTLED, List.of("QUOTA"), "t/0", "topic t", Duration.ZERO));
        metrics.onHealth(new Health(HealthState.DEGRADED, List.of("GC"), 800, false));

        assertThat(gauge("pressure.state", "of", "connection")).isEqualTo(3);
        assertThat(gauge("pressure.state", "of", "t/0")).isEqualTo(2);
        assertThat(gauge("health.state")).isEqualTo(1);

        metrics.onPressure(new Pressure(PressureLevel.NORMAL, List.of(), "connection", "", Duration.ZERO));
        assertThat(gauge("pressure.state", "of", "connection")).isZero();
    }

    @Test
    void hearsOfAConnectionThatFailed() {
        assertThatThrownBy(() -> SpillwayClient.builder()
                        .endpoints(NOBODY)
                        .connectTimeout(Duration.ofSeconds(1))
                        .metrics(metrics)
                        .connect())
                .isInstanceOf(SpillwayException.class);

        assertThat(count("disconnections", "endpoint", NOBODY, "reason", "CONNECT_FAILED"))
                .isEqualTo(1);
    }
}
