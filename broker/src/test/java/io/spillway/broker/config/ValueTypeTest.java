package io.spillway.broker.config;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

final class ValueTypeTest {
    @Test
    void aFractionIsANumberFromNoneToAll() {
        ValueType<Double> type = ValueType.fraction();

        assertThat(type.parser().apply("0.25")).contains(0.25);
        assertThat(type.parser().apply("0")).contains(0.0);
        assertThat(type.parser().apply("1.0")).contains(1.0);
        assertThat(type.formatter().apply(1.0)).isEqualTo("1");
        assertThat(type.formatter().apply(0.000001)).isEqualTo("0.000001");
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "-0.1", "1.1", "2", ".5", "0,5", "1e-3", "50%", "NaN"})
    void anythingElseIsNoFraction(String text) {
        assertThat(ValueType.fraction().parser().apply(text)).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "http://127.0.0.1:4318", "http://[::1]:4318/", "https://collector/otlp/v1/traces"})
    void aUrlMayBeMissing(String text) {
        assertThat(ValueType.httpUrl().parser().apply(text)).contains(text);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "127.0.0.1:4318",
                "grpc://h:4317",
                "http://",
                "http://h:4318/%zz",
                "http://h 1",
                "http://h/?key=secret",
                "http://user:secret@h:4318"
            })
    void aUrlIsOfHttpAndHasNoSecrets(String text) {
        assertThat(ValueType.httpUrl().parser().apply(text)).isEmpty();
    }
}
