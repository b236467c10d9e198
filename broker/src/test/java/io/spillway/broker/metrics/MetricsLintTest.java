package io.spillway.broker.metrics;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;

/** That the lint finds something. */
final class MetricsLintTest {
    private static List<String> faults(String name, String type, String sample) {
        return MetricsLint.faults(
                "# HELP " + name + " Something that is counted.\n# TYPE " + name + " " + type + "\n" + sample + "\n",
                "x_");
    }

    @Test
    void whatIsRightHasNoFaults() {
        assertThat(faults("x_things_total", "counter", "x_things_total{cause=\"a\"} 1.0"))
                .isEmpty();
        assertThat(faults("x_wait_seconds", "histogram", "x_wait_seconds_bucket{le=\"+Inf\"} 1"))
                .isEmpty();
        assertThat(faults("y_Things", "counter", "y_Things{id=\"1\"} 1.0"))
                .as("not ours")
                .isEmpty();
    }

    @Test
    void whatIsWrongIsFound() {
        assertThat(faults("x_things", "counter", "x_things 1")).hasSize(1);
        assertThat(faults("x_things_total", "gauge", "x_things_total 1")).hasSize(1);
        assertThat(faults("x_wait_ms", "gauge", "x_wait_ms 1")).hasSize(1);
        assertThat(faults("x_seconds_waited", "gauge", "x_seconds_waited 1")).hasSize(1);
        assertThat(faults("x_Things", "gauge", "x_Things 1")).hasSize(1);
        assertThat(faults("x_open_gauge", "gauge", "x_open_gauge 1")).hasSize(1);
        assertThat(faults("x_open", "gauge", "x_open{topic=\"orders\"} 1")).hasSize(1);
        assertThat(faults("x_open", "gauge", "x_open{le=\"1\"} 1")).hasSize(1);
        assertThat(faults("x_open", "gauge", "x_open{why=\"\"} 1")).hasSize(1);
        assertThat(faults("x_open", "gauge", "x_open 1\nx_open 2")).hasSize(1);
        assertThat(faults("x_open", "gauge", "x_open one")).hasSize(1);
        assertThat(faults("x_open", "gauge", "x_other 1")).hasSize(1);
        assertThat(MetricsLint.faults("x_open 1\n", "x_")).hasSize(1);
    }
}
