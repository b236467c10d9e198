package io.spillway.broker.dispatch;

import static org.assertj.core.api.Assertions.assertThat;

import io.spillway.protocol.Vectors;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** The suites vectors/weight.json and vectors/slow_start.json. */
class WeightsTest {
    @Test
    void whoIdlesIsUnknown() {
        assertThat(Weights.of(new HealthReport(HealthState.READY, "", 49, 10_000, 0, false, 1_000)))
                .isZero();
        assertThat(Weights.of(new HealthReport(HealthState.READY, "", 50, 10_000, 0, false, 1_000)))
                .isEqualTo(200_000);
    }

    @Test
    void weighsLoadsAsTheVectorsSay() {
        Vectors.run("weight", Set.of("rps_milli", "util_pm", "eps_milli", "penalty_pm", "expect_weight"), one -> {
            long weight = Weights.ofLoad(
                    one.get("rps_milli").asLong(),
                    one.get("util_pm").asInt(),
                    one.get("eps_milli").asLong(),
                    one.get("penalty_pm").asInt());

            assertThat(weight).isEqualTo(one.get("expect_weight").asLong());
        });
    }

    @Test
    void startsSlowlyAsTheVectorsSay() {
        Vectors.run(
                "slow_start",
                Set.of("age_ms", "expect_pm"),
                one -> assertThat(Weights.slowStartPm(one.get("age_ms").asLong()))
                        .isEqualTo(one.get("expect_pm").asInt()));
    }

    @Test
    void keepsWeightsWithinTenTimesOfTheMean() {
        assertThat(Weights.relative(1, 1_000_000)).isEqualTo(Weights.NORMAL / 10);
        assertThat(Weights.relative(1_000_000, 1)).isEqualTo(Weights.NORMAL * 10);
        assertThat(Weights.relative(0, 7)).as("unknown").isEqualTo(Weights.NORMAL);
    }
}
