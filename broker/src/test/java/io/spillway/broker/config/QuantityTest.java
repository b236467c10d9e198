package io.spillway.broker.config;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

final class QuantityTest {
    @ParameterizedTest
    @CsvSource({"0, 0", "1, 1", "7B, 7", "64KiB, 65536", "64 MiB, 67108864", "1GiB, 1073741824", "2TiB, 2199023255552"})
    void readsBytes(String text, long bytes) {
        assertThat(Quantity.bytes(text)).hasValue(bytes);
    }

    @ParameterizedTest
    @CsvSource({"0, 0", "250, 250", "250ms, 250", "30s, 30000", "5m, 300000", "2h, 7200000", "7d, 604800000"})
    void readsMilliseconds(String text, long ms) {
        assertThat(Quantity.milliseconds(text)).hasValue(ms);
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "MiB", "1.5MiB", "1MB", "1mib", "1 Mi B", "+1", "8388608TiB", "9223372036854775808"})
    void readsNothingElse(String text) {
        assertThat(Quantity.bytes(text)).isEmpty();
    }

    @Test
    void writesTheLargestUnitThatIsExact() {
        assertThat(Quantity.formatBytes(0)).isEqualTo("0");
        assertThat(Quantity.formatBytes(1 << 20)).isEqualTo("1MiB");
        assertThat(Quantity.formatBytes((1 << 20) + 1)).isEqualTo("1048577B");
        assertThat(Quantity.formatBytes(1536L << 20)).isEqualTo("1536MiB");
        assertThat(Quantity.formatMilliseconds(90_000)).isEqualTo("90s");
        assertThat(Quantity.formatMilliseconds(86_400_000)).isEqualTo("1d");
    }
}
