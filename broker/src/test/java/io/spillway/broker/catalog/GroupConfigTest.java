package io.spillway.broker.catalog;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.spillway.broker.base.SpillwayException;
import io.spillway.broker.records.GroupCreated;
import io.spillway.protocol.Code;
import java.util.Arrays;
import java.util.Map;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class GroupConfigTest {
    @Test
    void keepsEverySettingAsText() {
        GroupConfig changed = GroupConfig.DEFAULT.with(Map.of(
                "max.deliveries", "5",
                "poison.members", "4",
                "retry.backoff.ms", "100,1000,5000",
                "retry.jitter.percent", "7",
                "max.inflight", "1000",
                "filter", "kind = 'order'",
                "dlq.breaker.percent", "10",
                "dlq.breaker.min", "100",
                "dlq.breaker.window.ms", "5000"));

        assertThat(changed.toMap().keySet()).containsExactlyElementsOf(GroupConfig.KEYS);
        assertThat(changed.toMap().values())
                .doesNotContainAnyElementsOf(GroupConfig.DEFAULT.toMap().values());
        assertThat(GroupConfig.DEFAULT.with(changed.toMap())).isEqualTo(changed);
    }

    @Test
    void readsARecordFromBeforeThereWereSettings() {
        GroupCreated old = GroupCreated.newBuilder().setMaxDeliveries(7).build();

        assertThat(GroupConfig.ofRecord(old)).isEqualTo(GroupConfig.DEFAULT.withMaxDeliveries(7));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "max.deliveries|1001",
                "max.deliveries|-1",
                "retry.backoff.ms|",
                "retry.backoff.ms|1,,2",
                "retry.backoff.ms|-1",
                "retry.backoff.ms|0..100",
                "retry.backoff.ms|100..10",
                "retry.backoff.ms|1..700000000",
                "retry.backoff.ms|soon",
                "retry.jitter.percent|101",
                "max.inflight|-1",
                "filter|kind =",
                "dlq.breaker.percent|100",
                "dlq.breaker.min|0",
                "dlq.breaker.window.ms|999"
            })
    void refusesWhatIsNotAllowed(String key, String value) {
        assertThatThrownBy(() -> GroupConfig.DEFAULT.with(Map.of(key, value == null ? "" : value)))
                .isInstanceOf(SpillwayException.class)
                .satisfies(e -> assertThat(((SpillwayException) e).code()).isEqualTo(Code.INVALID_ARGUMENT));
    }

    @Test
    void namesTheNearestSettingForOneItDoesNotKnow() {
        assertThatThrownBy(() -> GroupConfig.DEFAULT.with(Map.of("retry.backof", "1")))
                .isInstanceOf(SpillwayException.class)
                .hasMessageContaining("unknown group setting \"retry.backof\"")
                .satisfies(e -> assertThat(((SpillwayException) e).nextStep()).contains("retry.backoff.ms"));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "0|1|0",
                "250|1|250",
                "250|9|250",
                "100,1000,5000|1|100",
                "100,1000,5000|2|1000",
                "100,1000,5000|3|5000",
                "100,1000,5000|1000|5000",
                "100..60000|1|100",
                "100..60000|4|800",
                "100..60000|11|60000",
                "1..604800000|63|604800000",
                "1..604800000|64|604800000",
                "3..604800000|1000|604800000"
            })
    void waitsByTheNumberOfFailures(String backoff, int failures, long delayMs) {
        GroupConfig config = GroupConfig.DEFAULT.with(Map.of("retry.backoff.ms", backoff));

        assertThat(config.retry().backoff().delayMs(failures)).isEqualTo(delayMs);
    }

    @Test
    void leavesOutARandomShareOfTheWait() {
        RetryBackoff backoff = GroupConfig.DEFAULT
                .with(Map.of("retry.backoff.ms", "1000"))
                .retry()
                .backoff();
        SplittableRandom random = new SplittableRandom(1);

        long[] delays = new long[1_000];
        for (int i = 0; i < delays.length; i++) {
            delays[i] = backoff.delayMs(1, 20, random);
        }

        assertThat(Arrays.stream(delays)).allMatch(ms -> ms >= 800 && ms <= 1_000);
        assertThat(Arrays.stream(delays).distinct().count()).isGreaterThan(100);
        assertThat(backoff.delayMs(1, 0, random)).isEqualTo(1_000);
    }
}
