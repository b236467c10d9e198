package io.spillway.broker.replay;

import static org.assertj.core.api.Assertions.assertThat;

import io.spillway.broker.shard.ShardFixture;
import io.spillway.broker.shard.TestMember;
import io.spillway.protocol.KeyHash;
import io.spillway.protocol.RecordParts;
import io.spillway.protocol.v1.AckItem;
import io.spillway.protocol.v1.ReplayStops;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** What is kept of a record that a replay copies. */
@Timeout(60)
class CopyTest {
    private static final AckItem.Builder TERM = AckItem.newBuilder().setOutcome(3);

    private ReplayFixture replays;
    private ShardFixture shard;

    @BeforeEach
    void open(@TempDir Path directory) {
        replays = new ReplayFixture(directory.resolve("shard"));
        shard = replays.shard;
        shard.createTopic("orders", 2, Map.of());
    }

    @AfterEach
    void close() {
        replays.close();
    }

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    private static RecordParts record(String value, long timeMs, boolean tombstone) {
        byte[] key = bytes("k-" + value);
        List<Map.Entry<String, byte[]>> headers = List.of(Map.entry("h", bytes(value)));
        return new RecordParts(timeMs, key, KeyHash.of(key), headers, bytes(value), null, null, -1, -1, tombstone);
    }

    private static void isAsPublished(TestMember.Delivered copy, String value, long timeMs, boolean tombstone) {
        assertThat(copy.key()).isEqualTo("k-" + value);
        assertThat(copy.value()).isEqualTo(value);
        assertThat(copy.headers()).containsEntry("h", value);
        assertThat(copy.timestampMs()).as("time of %s", value).isEqualTo(timeMs);
        assertThat(copy.tombstone()).as("whether %s is a tombstone", value).isEqualTo(tombstone);
    }

    @Test
    void aCopyIntoATopicKeepsWhatTheRecordWas() {
        shard.createTopic("again", Map.of("accepts", "replay"));
        shard.publish("orders", 0, List.of(record("a", 7_000, false), record("b", 8_000, true)));
        shard.publish("orders", 1, List.of(record("c", 3_000, true), record("d", 3_000 + (1L << 33), false)));

        replays.awaited(
                replays.start("orders", ReplayFixture.TOPIC, "again", ReplayStops.newBuilder()), JobRecord.DONE);

        List<TestMember.Delivered> copies = shard.records("again");
        assertThat(copies).hasSize(4);
        isAsPublished(copies.get(0), "a", 7_000, false);
        isAsPublished(copies.get(1), "b", 8_000, true);
        isAsPublished(copies.get(2), "c", 3_000, true);
        isAsPublished(copies.get(3), "d", 3_000 + 0xffffffffL, false);
    }

    @Test
    void aTombstoneIsStillOneAfterTheDeadLettersAndTheWayBack() {
        shard.createTopic("single", Map.of());
        shard.publish("single", List.of(record("a", 7_000, true), record("b", 8_000, false)));
        TestMember member = shard.join("single", "g", Map.of("dlq.breaker.percent", "0"));
        replays.settle(member, TERM);
        replays.until(() -> shard.records("single.dlq").size() == 2, "the dead letters");

        replays.awaited(
                replays.start("single.dlq", ReplayFixture.ORIGIN, "", ReplayStops.newBuilder()), JobRecord.DONE);

        List<TestMember.Delivered> all = shard.records("single");
        assertThat(all).hasSize(4);
        isAsPublished(all.get(2), "a", 7_000, true);
        isAsPublished(all.get(3), "b", 8_000, false);
    }
}
