package io.spillway.broker.shard;

import static org.assertj.core.api.Assertions.assertThat;

import io.spillway.broker.catalog.TopicSpec;
import io.spillway.protocol.RecordParts;
import io.spillway.protocol.v1.AckItem;
import io.spillway.protocol.v1.GroupInfo;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What becomes of records that fail: when they come again, when they are given up, why, and when a group stops. */
@Timeout(60)
class DeadLettersTest extends OnOrders {
    private static final int RELEASE = 4;
    private static final int POISON = 1;

    /** The cause of the only dead letter. */
    private Map<String, String> cause() {
        List<TestMember.Delivered> dead = shard.deadLetters("orders");
        assertThat(dead).hasSize(1);
        return dead.get(0).headers();
    }

    @Test
    void tellsOfAMessageThatFailedTooOftenByANack() {
        byte[] trace = new byte[26];
        trace[0] = 1;
        trace[1] = (byte) 0xab;
        trace[16] = (byte) 0xcd;
        byte[] key = "k".getBytes(StandardCharsets.UTF_8);
        byte[] dedupId = "id-1".getBytes(StandardCharsets.UTF_8);
        List<Map.Entry<String, byte[]>> headers = List.of(Map.entry("h", "x".getBytes(StandardCharsets.UTF_8)));
        shard.publish(
                "orders",
                List.of(new RecordParts(
                        5, key, 77, headers, "v".getBytes(StandardCharsets.UTF_8), dedupId, trace, -1, -1, true)));
        TestMember member = shard.join("orders", "g", Map.of("max.deliveries", "2"));

        shard.settle(member, only(member), nack("first"));
        shard.step();
        shard.settle(member, only(member), nack("second"));

        TestMember.Delivered dead = shard.deadLetters("orders").get(0);
        assertThat(dead.key()).isEqualTo("k");
        assertThat(dead.value()).isEqualTo("v");
        assertThat(dead.tombstone()).isTrue();
        assertThat(dead.headers())
                .containsEntry("h", "x")
                .containsEntry("spillway-dlq-cause", "MAX_DELIVERIES")
                .containsEntry("spillway-dlq-topic", "orders")
                .containsEntry("spillway-dlq-partition", "0")
                .containsEntry("spillway-dlq-offset", "0")
                .containsEntry("spillway-dlq-group", "g")
                .containsEntry("spillway-dlq-attempts", "2")
                .containsEntry("spillway-dlq-failures", "2")
                .containsEntry("spillway-dlq-error", "second")
                .containsEntry("spillway-dlq-trace", HexFormat.of().formatHex(trace, 1, 17));
        assertThat(shard.counters.deadLetters("MAX_DELIVERIES").sum()).isEqualTo(1);
    }

    @Test
    void tellsOfAMessageWhoseLastLeaseRanOut() {
        shard.publish("orders", "v");
        TestMember member = shard.join("orders", "g", 0, 1_000, Map.of("max.deliveries", "1"));
        only(member);

        shard.pass(1_000);

        assertThat(cause())
                .containsEntry("spillway-dlq-cause", "LEASE_EXPIRED")
                .containsEntry("spillway-dlq-failures", "1");
    }

    @Test
    void tellsWhatWasTerminatedFromWhatCouldNotBeRead() {
        shard.publish("orders", "a", "b");
        TestMember member = shard.join("orders", "g", Map.of());
        List<TestMember.Delivered> both = member.take();

        shard.settle(member, both.get(0), term(0));
        shard.settle(member, both.get(1), term(POISON));

        assertThat(shard.deadLetters("orders"))
                .extracting(dead -> dead.headers().get("spillway-dlq-cause"))
                .containsExactly("TERMINATED", "POISON");
        assertThat(shard.group("orders", "g").getDeadLettered()).isEqualTo(2);
        shard.kill();
        assertThat(shard.group("orders", "g").getDeadLettered()).isEqualTo(2);
    }

    @Test
    void countsAsAFailureOnlyWhatFailed() {
        shard.publish("orders", "v");
        TestMember first = shard.join("orders", "g", Map.of("max.deliveries", "1"));
        shard.settle(first, only(first), AckItem.newBuilder().setOutcome(RELEASE));
        shard.step();
        assertThat(only(first)).matches(r -> r.attempt() == 2 && r.failures() == 0, "released");

        shard.leave(first);
        TestMember second = shard.join("orders", "g", Map.of());
        assertThat(only(second)).matches(r -> r.attempt() == 3 && r.failures() == 0, "unsubscribed");

        shard.disconnect(second);
        TestMember third = shard.join("orders", "g", Map.of());
        assertThat(only(third)).matches(r -> r.attempt() == 4 && r.failures() == 0, "connection lost");

        shard.kill();
        TestMember fourth = shard.join("orders", "g", Map.of());
        assertThat(only(fourth)).matches(r -> r.failures() == 0, "broker killed");

        shard.restart();
        TestMember fifth = shard.join("orders", "g", Map.of());
        assertThat(only(fifth)).matches(r -> r.failures() == 0, "broker restarted");
        assertThat(shard.deadLetters("orders")).isEmpty();
    }

    @Test
    void waitsAsTheGroupSaysAfterANackAndAfterALease() {
        shard.publish("orders", "v");
        TestMember member = shard.join(
                "orders", "g", 0, 1_000, Map.of("retry.backoff.ms", "1000,10000", "retry.jitter.percent", "0"));

        shard.settle(member, only(member), nack(""));
        shard.pass(900);
        assertThat(member.take()).isEmpty();
        shard.pass(100);
        assertThat(only(member).failures()).isEqualTo(1);

        shard.pass(1_000);
        shard.pass(9_000);
        assertThat(member.take()).as("its lease ran out, so it waits again").isEmpty();
        shard.pass(1_000);
        assertThat(only(member).failures()).isEqualTo(2);
    }

    @Test
    void waitsAsTheNackSaysWhenItSaysSo() {
        shard.publish("orders", "v");
        TestMember member = shard.join("orders", "g", Map.of("retry.backoff.ms", "60000"));

        shard.settle(member, only(member), nack("").setDelayMs(100));
        shard.pass(100);

        assertThat(member.take()).hasSize(1);
    }

    @Test
    void remembersHowLongToWaitThroughAKill() {
        shard.publish("orders", "v");
        TestMember member = shard.join("orders", "g", Map.of("retry.backoff.ms", "5000", "retry.jitter.percent", "0"));
        shard.settle(member, only(member), nack(""));

        shard.kill();
        TestMember next = shard.join("orders", "g", Map.of());

        assertThat(next.take()).isEmpty();
        shard.pass(5_000);
        assertThat(only(next).failures()).isEqualTo(1);
    }

    @Test
    void holdsDeadLettersBackFromATopicThatDoesNotTakeThem() {
        shard.createTopic("orders.dlq", Map.of());
        shard.createTopic("other", Map.of());
        shard.publish("orders", "v");
        shard.publish("other", "w");
        TestMember member = shard.join("orders", "g", Map.of());
        TestMember others = shard.join("other", "g", Map.of());

        shard.settle(member, only(member), term(0));
        shard.settle(others, only(others), term(0));

        GroupInfo group = shard.group("orders", "g");
        assertThat(group.getPaused()).isFalse();
        assertThat(group.getPauseReason()).isEqualTo("DLQ_HELD: topic orders.dlq does not accept dead letters");
        assertThat(group.getPartitions(0).getBacklog()).isEqualTo(1);
        assertThat(shard.deadLetters("other")).as("of other topics go on").hasSize(1);
        assertThat(shard.deadLetters("orders")).isEmpty();

        shard.ask((Reply<TopicSpec> reply) ->
                new ShardCommand.AlterTopic("orders.dlq", Map.of("accepts", "dlq"), 0, reply));
        shard.until(() -> shard.group("orders", "g").getDeadLettered() == 1, "the dead letter");
        assertThat(shard.deadLetters("orders")).hasSize(1);
        assertThat(shard.group("orders", "g").getPauseReason()).isEmpty();
    }

    @Test
    void losesNoDeadLetterThatIsHeldBackWhenItIsKilled() {
        shard.createTopic("orders.dlq", Map.of());
        shard.publish("orders", "v");
        TestMember member = shard.join("orders", "g", Map.of());
        shard.settle(member, only(member), term(0));

        shard.kill();

        assertThat(only(shard.join("orders", "g", Map.of())).value()).isEqualTo("v");
    }

    @Test
    void takesEveryDeadLetterWhateverItsIdempotencyKey() {
        byte[] id = "same".getBytes(StandardCharsets.UTF_8);
        shard.publish("orders", List.of(new RecordParts(1, null, 0, List.of(), new byte[] {'v'}, id, null, -1, -1)));
        TestMember one = shard.join("orders", "one", Map.of());
        TestMember two = shard.join("orders", "two", Map.of());

        shard.settle(one, only(one), term(0));
        shard.settle(two, only(two), term(0));

        assertThat(shard.deadLetters("orders"))
                .extracting(dead -> dead.headers().get("spillway-dlq-group"))
                .containsExactly("one", "two");
    }

    /** Publishes records and terminates them until the group pauses; returns those that were not given up. */
    private List<TestMember.Delivered> storm(TestMember member, int records) {
        String[] values = new String[records];
        for (int i = 0; i < records; i++) {
            values[i] = "v" + i;
        }
        shard.publish("orders", values);
        List<TestMember.Delivered> all = member.take();
        assertThat(all).hasSize(records);
        List<TestMember.Delivered> after = new ArrayList<>();
        for (TestMember.Delivered record : all) {
            if (shard.group("orders", "g").getPaused()) {
                after.add(record);
            }
            assertThat(shard.settle(member, record, term(0))).isEmpty();
        }
        return after;
    }

    @Test
    void pausesInsteadOfDrainingTheTopicIntoTheDeadLetters() {
        TestMember member = shard.join("orders", "g", Map.of("dlq.breaker.min", "5"));

        List<TestMember.Delivered> kept = storm(member, 12);

        GroupInfo group = shard.group("orders", "g");
        assertThat(kept).hasSize(7);
        assertThat(group.getPauseReason())
                .isEqualTo("DLQ_BREAKER: 5 of 5 outcomes in 60 s were dead letters (limit 50 %)");
        assertThat(group.getPartitions(0).getWaitingRetry()).isEqualTo(7);
        assertThat(shard.deadLetters("orders")).hasSize(5);
        assertThat(shard.counters.breakerTrips.sum()).isEqualTo(1);
        shard.pass(1_000);
        assertThat(member.take()).isEmpty();
    }

    @Test
    void givesUpOnlyTheFirstOfManyRecordsThatAreTerminatedAtOnce() {
        TestMember member = shard.join("orders", "g", Map.of("dlq.breaker.min", "2"));
        shard.publish("orders", "a", "b", "c", "d");
        List<TestMember.Delivered> all = member.take();

        shard.settle(member, all.get(0), 3, term(0));

        assertThat(shard.deadLetters("orders")).hasSize(2);
        assertThat(shard.group("orders", "g").getPartitions(0).getWaitingRetry())
                .isEqualTo(2);
    }

    @Test
    void goesOnWithWhatItKeptWhenItIsResumedAlsoAfterAKill() {
        TestMember member = shard.join("orders", "g", Map.of("dlq.breaker.min", "5"));
        storm(member, 8);
        shard.kill();
        assertThat(shard.group("orders", "g").getPauseReason()).startsWith("DLQ_BREAKER: 5 of 5");
        TestMember next = shard.join("orders", "g", Map.of());
        shard.pass(100);
        assertThat(next.take()).isEmpty();

        shard.change("orders", "g", new GroupChange.Resume());
        shard.step();

        List<TestMember.Delivered> again = next.take();
        assertThat(again).hasSize(3).allMatch(record -> record.failures() == 1);
        for (TestMember.Delivered record : again) {
            shard.settle(next, record, term(0));
        }
        assertThat(shard.group("orders", "g").getPaused())
                .as("the window begins anew")
                .isFalse();
        assertThat(shard.deadLetters("orders")).hasSize(8);
    }

    @Test
    void doesNotPauseWhenTheBreakerIsOff() {
        TestMember member = shard.join("orders", "g", Map.of("dlq.breaker.min", "1", "dlq.breaker.percent", "0"));

        assertThat(storm(member, 30)).isEmpty();

        assertThat(shard.deadLetters("orders")).hasSize(30);
    }

    @Test
    void doesNotPauseBecauseRecordsExpiredThatNobodySaw() {
        shard.join("orders", "g", Map.of("dlq.breaker.min", "1"));
        shard.change("orders", "g", new GroupChange.Pause());
        List<RecordParts> old = new ArrayList<>();
        for (int i = 0; i < 5; i++) {
            old.add(new RecordParts(
                    1, null, 0, List.of(), new byte[] {'v'}, null, null, -1, shard.clock.nowMs() + 1_000));
        }
        shard.publish("orders", old);
        shard.pass(2_000);

        shard.change("orders", "g", new GroupChange.Resume());
        shard.until(() -> shard.group("orders", "g").getDeadLettered() == 5, "the dead letters");

        assertThat(shard.group("orders", "g").getPaused()).isFalse();
        assertThat(shard.deadLetters("orders"))
                .allMatch(dead -> "EXPIRED".equals(dead.headers().get("spillway-dlq-cause")));
    }

    @Test
    void forgetsADeadLetterThatIsHeldBackWhenTheGroupIsMoved() {
        shard.createTopic("orders.dlq", Map.of());
        shard.publish("orders", "v");
        TestMember member = shard.join("orders", "g", Map.of());
        shard.change("orders", "g", new GroupChange.TakeSnapshot("before"));
        shard.settle(member, only(member), term(0));

        shard.change("orders", "g", new GroupChange.Restore("before"));
        shard.ask((Reply<TopicSpec> reply) ->
                new ShardCommand.AlterTopic("orders.dlq", Map.of("accepts", "dlq"), 0, reply));
        shard.pass(100);

        assertThat(shard.deadLetters("orders")).isEmpty();
        TestMember.Delivered again = only(member);
        assertThat(shard.settle(member, again, AckItem.newBuilder())).isEmpty();
        assertThat(shard.group("orders", "g").getAcked()).isEqualTo(1);
    }
}
