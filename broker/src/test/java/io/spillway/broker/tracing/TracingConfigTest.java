package io.spillway.broker.tracing;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

final class TracingConfigTest {
    private static TracingConfig at(String endpoint) {
        return new TracingConfig(endpoint, 1, 1_000, 128);
    }

    @Test
    void anEndpointWithoutAPathGetsThatOfOtlp() {
        assertThat(at("http://h:4318").url()).isEqualTo("http://h:4318/v1/traces");
        assertThat(at("http://h:4318/").url()).isEqualTo("http://h:4318/v1/traces");
        assertThat(at("https://h/otlp/v1/traces").url()).isEqualTo("https://h/otlp/v1/traces");
    }

    @Test
    void noEndpointMeansNoTracing() {
        assertThat(at("").isOn()).isFalse();
        assertThat(at("http://h:4318").isOn()).isTrue();
    }
}
