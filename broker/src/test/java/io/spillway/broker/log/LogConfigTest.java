package io.spillway.broker.log;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.spillway.broker.base.SpillwayException;
import org.junit.jupiter.api.Test;

class LogConfigTest {
    @Test
    void hasDocumentedDefaults() {
        assertThat(LogConfig.defaults()).isEqualTo(new LogConfig(64 << 20, 256 << 20, 600_000, 250));
    }

    @Test
    void namesTheKeyTheValueAndTheRange() {
        assertThatThrownBy(() -> LogConfig.defaults().withSegmentBytes(1))
                .isInstanceOfSatisfying(SpillwayException.class, e -> {
                    assertThat(e.what()).contains("segmentBytes").contains("1");
                    assertThat(e.why()).contains("262144");
                });
        assertThatThrownBy(() -> LogConfig.defaults().withRelocateBelowPermille(901))
                .isInstanceOf(SpillwayException.class);
        assertThatThrownBy(() -> LogConfig.defaults().withMinFreeBytes(-1)).isInstanceOf(SpillwayException.class);
        assertThatThrownBy(() -> LogConfig.defaults().withSegmentMaxAgeMs(0)).isInstanceOf(SpillwayException.class);
    }
}
