package io.spillway.broker.catalog;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.spillway.broker.base.SpillwayException;
import io.spillway.broker.records.TopicAltered;
import io.spillway.broker.records.TopicCreated;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class TopicConfigTest {
    @Test
    void everySettingSurvivesTheWayThroughText() {
        TopicConfig changed = TopicConfig.DEFAULT.with(Map.ofEntries(
                Map.entry("durability", "mapped"),
                Map.entry("retention.ms", "1000"),
                Map.entry("retention.bytes", "1048576"),
                Map.entry("retain.until.acked", "true"),
                Map.entry("dedup.window.ms", "0"),
                Map.entry("dedup.window.keys", "100000000"),
                Map.entry("backlog.bytes", "1"),
                Map.entry("backlog.records", "4"),
                Map.entry("backlog.ms", "3"),
                Map.entry("backlog.policy", "drop_oldest"),
                Map.entry("accepts", "dlq,replay"),
                Map.entry("shed.class", "0")));

        Map<String, String> text = changed.toMap();

        assertThat(text.keySet()).containsExactlyElementsOf(TopicConfig.KEYS);
        assertThat(text.values())
                .doesNotContainAnyElementsOf(TopicConfig.DEFAULT.toMap().values());
        assertThat(TopicConfig.DEFAULT.with(text)).isEqualTo(changed);
    }

    @Test
    void defaultsBoundNothing() {
        assertThat(TopicConfig.DEFAULT.backlog().isBounded()).isFalse();
        assertThat(TopicConfig.DEFAULT.toMap())
                .containsEntry("backlog.policy", "reject")
                .containsEntry("retain.until.acked", "false")
                .containsEntry("accepts", "")
                .containsEntry("shed.class", "2");
    }

    @ParameterizedTest
    @CsvSource({"'',''", "dlq,dlq", "replay,replay", "'dlq,replay','dlq,replay'", "'replay,dlq','dlq,replay'"})
    void aTopicAcceptsDeadLettersReplaysOrBoth(String given, String shown) {
        assertThat(TopicConfig.DEFAULT.with(Map.of("accepts", given)).toMap()).containsEntry("accepts", shown);
    }

    @ParameterizedTest
    @CsvSource({
        "backlog.bytes, 0",
        "backlog.records, -2",
        "backlog.ms, soon",
        "backlog.policy, drop",
        "retain.until.acked, yes",
        "accepts, everything",
        "shed.class, 4",
        "retention.ms, 999",
        "dedup.window.keys, 100000001",
        "durability, paper"
    })
    void aValueThatIsNotAllowedIsNamedWithItsSetting(String key, String value) {
        assertThatThrownBy(() -> TopicConfig.DEFAULT.with(Map.of(key, value)))
                .isInstanceOf(SpillwayException.class)
                .asString()
                .contains(key, value, "allowed: ");
    }

    @Test
    void anUnknownSettingIsAnsweredWithTheNearestKnownOne() {
        assertThatThrownBy(() -> TopicConfig.DEFAULT.with(Map.of("backlog.polcy", "reject")))
                .asString()
                .contains("did you mean backlog.policy?");
    }

    @Test
    void aDeadLetterTopicOfBeforeTheSettingGoesOnBeingOne() {
        TopicCreated old = TopicCreated.newBuilder()
                .setTopicId(1)
                .setName("orders.dlq")
                .setPartitions(1)
                .setFirstPartitionId(1)
                .putConfig("durability", "synced")
                .build();
        TopicCatalog catalog = TopicCatalog.EMPTY.apply(old);

        TopicCatalog altered = catalog.apply(TopicAltered.newBuilder()
                .setTopicId(1)
                .putConfig("durability", "mapped")
                .build());
        TopicCatalog closed = catalog.apply(
                TopicAltered.newBuilder().setTopicId(1).putConfig("accepts", "").build());

        assertThat(catalog.get("orders.dlq").config().accepts().deadLetters()).isTrue();
        assertThat(altered.get("orders.dlq").config().accepts().deadLetters()).isTrue();
        assertThat(closed.get("orders.dlq").config().accepts().deadLetters()).isFalse();
    }
}
