package io.spillway.broker.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import picocli.CommandLine.TypeConversionException;

class PositionTest {
    @ParameterizedTest
    @CsvSource({
        "earliest, earliest",
        "latest, latest",
        "offset:0:0, offset:0:0",
        "offset:12:34567890123, offset:12:34567890123",
        "time:0, time:1970-01-01T00:00:00Z",
        "time:1767225600123, time:2026-01-01T00:00:00.123Z",
        "time:2026-01-01T00:00:00Z, time:2026-01-01T00:00:00Z",
        "time:2026-01-01T02:00:00+02:00, time:2026-01-01T00:00:00Z",
    })
    void readsEveryForm(String text, String start) {
        assertThat(Position.parse(text).start()).hasToString(start);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "Earliest",
                "begin",
                "offset",
                "offset:1",
                "offset:-1:5",
                "offset:1:-5",
                "offset:1:2:3",
                "offset:99999999999:1",
                "time:",
                "time:yesterday",
                "time:-5",
                "time:1960-01-01T00:00:00Z",
                "time:2026-01-01"
            })
    void refusesAllElseAndNamesTheForms(String text) {
        assertThatThrownBy(() -> Position.parse(text))
                .isInstanceOf(TypeConversionException.class)
                .hasMessageContaining("'" + text + "'")
                .hasMessageContaining("offset:PARTITION:OFFSET");
    }

    @ParameterizedTest
    @CsvSource({"250ms, 250", "30s, 30000", "30, 30000", "5m, 300000", "2h, 7200000", "1d, 86400000", "0s, 0"})
    void readsDurations(String text, long ms) {
        assertThat(new DurationParser().convert(text)).isEqualTo(Duration.ofMillis(ms));
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "s", "-1s", "1.5s", "1 s", "1w", "PT5S"})
    void refusesWhatIsNoDuration(String text) {
        assertThatThrownBy(() -> new DurationParser().convert(text))
                .isInstanceOf(TypeConversionException.class)
                .hasMessageContaining("30s");
    }
}
