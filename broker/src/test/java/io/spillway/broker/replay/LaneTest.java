package io.spillway.broker.replay;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.ByteString;
import io.spillway.broker.shard.ShardFixture;
import io.spillway.broker.shard.TestMember;
import io.spillway.protocol.KeyHash;
import io.spillway.protocol.RecordParts;
import io.spillway.protocol.v1.AckItem;
import io.spillway.protocol.v1.ReplayJob;
import io.spillway.protocol.v1.ReplaySelection;
import io.spillway.protocol.v1.ReplayStops;
import io.spillway.protocol.v1.Start;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What a lane delivers of its plan, and in which order. */
@Timeout(60)
class LaneTest {
    private static final int SHARED = 0;
    private static final int KEY_ORDERED = 1;
    private static final int LEASE_MS = 60_000;
    private static final AckItem.Builder ACK = AckItem.newBuilder();
    private static final AckItem.Builder NACK = AckItem.newBuilder().setOutcome(1);

    private final Map<String, List<Long>> acked = new TreeMap<>();
    private ReplayFixture replays;
    private ShardFixture shard;

    @BeforeEach
    void open(@TempDir Path directory) {
        replays = new ReplayFixture(directory.resolve("shard"));
        shard = replays.shard;
        shard.createTopic("orders", Map.of());
    }

    @AfterEach
    void close() {
        replays.close();
    }

    /** One batch, a record for each letter, which is its key. */
    private void publish(String keys) {
        List<RecordParts> records = new ArrayList<>();
        for (String letter : keys.split("")) {
            byte[] key = letter.getBytes(StandardCharsets.UTF_8);
            records.add(new RecordParts(1, key, KeyHash.of(key), List.of(), key, null, null, -1, -1));
        }
        shard.publish("orders", records);
    }

    /** So many members of group g, which has acked all there is. */
    private List<TestMember> members(int count, int mode) {
        List<TestMember> members = join(count, mode);
        replays.until(
                () -> {
                    members.forEach(member -> replays.settle(member, ACK));
                    return shard.group("orders", "g").getPartitions(0).getBacklog() == 0;
                },
                "the group is through");
        return members;
    }

    private List<TestMember> join(int count, int mode) {
        List<TestMember> members = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            members.add(shard.join("orders", "g", mode, LEASE_MS, Map.of("retry.backoff.ms", "200")));
        }
        return members;
    }

    private String start(ReplaySelection.Builder selection) {
        return replays.start(
                ReplayFixture.start(replays.plan(selection), ReplayFixture.GROUP, "g", ReplayStops.newBuilder()));
    }

    /** Takes and settles, asserting that no key has two records out, until the job is done. */
    private ReplayJob finish(String id, List<TestMember> members, long nackedOnce) {
        while (replays.job(id).getState() != JobRecord.DONE) {
            replays.until(
                    () -> settle(members, nackedOnce) || replays.job(id).getState() == JobRecord.DONE,
                    "the end of " + id + " after " + acked);
        }
        return replays.job(id);
    }

    private boolean settle(List<TestMember> members, long nackedOnce) {
        Map<TestMember, List<TestMember.Delivered>> out = new java.util.LinkedHashMap<>();
        members.forEach(member -> out.put(member, member.take()));
        assertThat(out.values().stream().flatMap(List::stream).map(TestMember.Delivered::key))
                .as("one record of a key is out at a time")
                .doesNotHaveDuplicates();
        out.forEach((member, records) -> records.forEach(record -> settle(member, record, nackedOnce)));
        return out.values().stream().anyMatch(records -> !records.isEmpty());
    }

    private void settle(TestMember member, TestMember.Delivered record, long nackedOnce) {
        boolean fails = record.offset() == nackedOnce && record.attempt() == 1;
        assertThat(shard.settle(member, record, fails ? NACK : ACK)).isEmpty();
        if (!fails) {
            acked.computeIfAbsent(String.valueOf(record.key()), key -> new ArrayList<>())
                    .add(record.offset());
        }
    }

    @Test
    void aKeyOrderedLaneKeepsTheOrderOfEachKeyThroughAFailure() {
        publish("ababac");
        publish("cabbca");
        List<TestMember> members = members(2, KEY_ORDERED);

        ReplayJob ended = finish(start(ReplayFixture.of("orders")), members, 2);

        assertThat(acked)
                .isEqualTo(Map.of(
                        "a", List.of(0L, 2L, 4L, 7L, 11L), "b", List.of(1L, 3L, 8L, 9L), "c", List.of(5L, 6L, 10L)));
        assertThat(ended.getAcked()).isEqualTo(12);
        assertThat(ended.getErrors()).isEqualTo(1);
        assertThat(shard.group("orders", "g").getPartitions(0).getCursor()).isEqualTo(12);
    }

    @Test
    void aKeyOrderedLaneDeliversTheKeysOfItsPlanAlone() {
        publish("ababac");
        publish("cabbca");
        List<TestMember> members = members(2, KEY_ORDERED);

        finish(
                start(ReplayFixture.of("orders")
                        .addKeys(ByteString.copyFromUtf8("c"))
                        .addKeys(ByteString.copyFromUtf8("b"))),
                members,
                -1);

        assertThat(acked).isEqualTo(Map.of("b", List.of(1L, 3L, 8L, 9L), "c", List.of(5L, 6L, 10L)));
    }

    @Test
    void aKeyOrderedLaneKeepsTheOrderThroughAKill() {
        publish("aabbabab");
        List<TestMember> members = members(2, KEY_ORDERED);
        String id = start(ReplayFixture.of("orders"));
        replays.until(() -> settle(members, -1) && acked.containsKey("a"), "a first ack");
        replays.until(() -> members.stream().anyMatch(member -> !member.received.isEmpty()), "a further record out");
        replays.kill();

        finish(id, join(2, KEY_ORDERED), -1);

        acked.forEach((key, offsets) -> assertThat(offsets.stream().distinct())
                .as("the order of %s in %s", key, offsets)
                .isSorted());
        assertThat(acked.getOrDefault("a", List.of()).stream().distinct()).containsExactly(0L, 1L, 4L, 6L);
        assertThat(acked.getOrDefault("b", List.of()).stream().distinct()).containsExactly(2L, 3L, 5L, 7L);
    }

    @ParameterizedTest
    @ValueSource(ints = {SHARED, KEY_ORDERED})
    void aLaneBeginsAndEndsInsideABatch(int mode) {
        publish("abcdefghij");
        List<TestMember> members = members(1, mode);

        ReplayJob ended =
                finish(start(ReplayFixture.of("orders").setFrom(offset(2)).setTo(offset(7))), members, 4);

        assertThat(acked.keySet()).containsExactly("c", "d", "e", "f", "g");
        assertThat(ended.getRecords()).isEqualTo(5);
        assertThat(ended.getAcked()).isEqualTo(5);
        assertThat(ended.getOpen()).isZero();
        replays.pass(1_000);
        assertThat(members.get(0).take()).as("nothing beyond").isEmpty();
    }

    private static Start offset(long offset) {
        return Start.newBuilder().setKind(3).setPartition(0).setOffset(offset).build();
    }

    @Test
    void liveRecordsBehindTheEndOfALaneComeOnce() {
        publish("aaaa");
        List<TestMember> members = members(1, KEY_ORDERED);
        String id = start(ReplayFixture.of("orders").setTo(offset(2)));
        publish("ab");

        List<Long> offsets = new ArrayList<>();
        replays.until(
                () -> {
                    for (TestMember.Delivered record : members.get(0).take()) {
                        shard.settle(members.get(0), record, ACK);
                        offsets.add(record.offset());
                    }
                    return replays.job(id).getState() == JobRecord.DONE && offsets.size() >= 4;
                },
                "lane and live records");

        assertThat(offsets).containsExactlyInAnyOrder(0L, 1L, 4L, 5L);
    }
}
