package io.spillway.broker;

import static org.assertj.core.api.Assertions.assertThat;

import io.spillway.broker.admin.Health;
import io.spillway.broker.diagnose.Cause;
import io.spillway.broker.log.WriteState;
import io.spillway.broker.log.WriteState.Mode;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class NodeHealthTest {
    @ParameterizedTest
    @CsvSource({"READ_ONLY, READ_ONLY", "RESERVE, RESERVE", "FAILED, STORAGE_FAILED"})
    void aLogThatTakesNothingSaysWhyItDoesNot(Mode mode, Cause cause) {
        Health.Cause found = NodeHealth.unwritable("shard-0", new WriteState(mode, "because", 0));

        assertThat(found.name()).isEqualTo(cause);
        assertThat(found.component()).isEqualTo("shard-0");
        assertThat(found.why()).isEqualTo("because");
        assertThat(found.nextStep()).isNotEmpty();
    }

    @Test
    void everyCauseThatAReadinessProbeNamesIsAMetric() {
        assertThat(NodeHealth.TROUBLES)
                .contains(Cause.SHARD_FAILED, Cause.DRAINING)
                .doesNotHaveDuplicates();
        assertThat(NodeHealth.TROUBLES)
                .allMatch(cause -> cause.isWrong() && !cause.runbook().isEmpty());
    }
}
