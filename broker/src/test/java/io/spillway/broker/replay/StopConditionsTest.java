package io.spillway.broker.replay;

import static org.assertj.core.api.Assertions.assertThat;

import io.spillway.broker.shard.ShardFixture;
import io.spillway.broker.shard.TestMember;
import io.spillway.protocol.v1.AckItem;
import io.spillway.protocol.v1.ReplayJob;
import io.spillway.protocol.v1.ReplayStops;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A job that stops by itself says why, stays so, goes on when it is resumed, and may stop again. */
@Timeout(60)
class StopConditionsTest {
    private static final AckItem.Builder ACK = AckItem.newBuilder();
    private static final AckItem.Builder NACK = AckItem.newBuilder().setOutcome(1);
    private static final AckItem.Builder TERM = AckItem.newBuilder().setOutcome(3);
    private static final Map<String, String> NO_BREAKER = Map.of("dlq.breaker.percent", "0");

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

    private void publish(int records) {
        shard.publish(
                "orders",
                IntStream.range(0, records).mapToObj(Integer::toString).toArray(String[]::new));
    }

    /** A member of group g that has acked all there is. */
    private TestMember member(Map<String, String> settings) {
        TestMember member = shard.join("orders", "g", settings);
        settleAll(member, ACK);
        return member;
    }

    private void settleAll(TestMember member, AckItem.Builder how) {
        replays.pass(50);
        while (replays.settle(member, how) > 0) {
            replays.pass(50);
        }
    }

    private static ReplayStops.Builder stops() {
        return ReplayStops.newBuilder();
    }

    /** Starts a plan of all orders at so many a second. */
    private String start(int kind, String name, int rate, ReplayStops.Builder stops) {
        return replays.start(ReplayFixture.start(replays.plan(ReplayFixture.of("orders")), kind, name, stops)
                .setRate(rate));
    }

    @Test
    void errorsOfACopyStopItBeforeItGoesOnWithTheNextRecord() {
        publish(20); // no dead letters: none has a way back
        String id = replays.start("orders", ReplayFixture.ORIGIN, "", stops().setErrors(5));

        ReplayJob stopped = replays.awaited(id, JobRecord.PAUSED);
        assertThat(stopped.getWhy()).isEqualTo("stopped: 6 errors, allowed are 5");
        assertThat(stopped.getErrors()).isEqualTo(6);
        assertThat(stopped.getDone()).isEqualTo(6);

        replays.resume(id);
        assertThat(replays.awaited(id, JobRecord.PAUSED).getErrors())
                .as("counted anew")
                .isEqualTo(12);
        replays.resume(id);
        assertThat(replays.awaited(id, JobRecord.PAUSED).getErrors()).isEqualTo(18);
        replays.resume(id);
        assertThat(replays.awaited(id, JobRecord.DONE).getErrors()).isEqualTo(20);
    }

    @Test
    void aStoppedJobStaysSoThroughAKillAndGoesOnWhenItIsResumed() {
        publish(20);
        String id = replays.start("orders", ReplayFixture.ORIGIN, "", stops().setErrors(5));
        replays.awaited(id, JobRecord.PAUSED);
        replays.pass(100);

        replays.kill();
        replays.pass(1_000);
        ReplayJob found = replays.job(id);
        assertThat(found.getState()).isEqualTo(JobRecord.PAUSED);
        assertThat(found.getWhy()).isEqualTo("stopped: 6 errors, allowed are 5");

        replays.resume(id);
        replays.awaited(id, JobRecord.PAUSED);
        replays.resume(id);
        replays.kill();
        assertThat(replays.awaited(id, JobRecord.PAUSED).getErrors())
                .as("what it counts from is kept, too")
                .isEqualTo(18);
    }

    @Test
    void failedDeliveriesStopALane() {
        publish(10);
        TestMember member = member(Map.of("retry.backoff.ms", "1000"));
        String id = replays.start("orders", ReplayFixture.GROUP, "g", stops().setErrors(3));
        replays.until(() -> member.received.size() == 10, "the lane's records");
        replays.settle(member, NACK);

        ReplayJob stopped = replays.awaited(id, JobRecord.PAUSED);
        assertThat(stopped.getWhy()).isEqualTo("stopped: 10 errors, allowed are 3");
        replays.pass(5_000);
        assertThat(member.take()).as("held back").isEmpty();

        replays.resume(id);
        ReplayJob ended = replays.ackUntilDone(id, member);
        assertThat(ended.getAcked()).isEqualTo(10);
        assertThat(ended.getErrors()).isEqualTo(10);
    }

    @Test
    void deadLettersStopALane() {
        publish(100);
        TestMember member = member(NO_BREAKER);
        String id = start(ReplayFixture.GROUP, "g", 50, stops().setDeadLetters(2));
        replays.until(() -> member.received.size() >= 3, "some of the lane's records");
        List<TestMember.Delivered> out = member.take();
        out.forEach(record -> shard.settle(member, record, record.offset() < 3 ? TERM : ACK));

        ReplayJob stopped = replays.awaited(id, JobRecord.PAUSED);
        assertThat(stopped.getWhy()).isEqualTo("stopped: 3 dead letters, allowed are 2");
        settleAll(member, ACK);
        replays.pass(2_000);
        assertThat(member.take()).as("held back").isEmpty();

        replays.resume(id);
        replays.until(() -> !member.received.isEmpty(), "a further record");
        shard.settle(member, member.received.remove(0), TERM);
        ReplayJob ended = replays.ackUntilDone(id, member);
        assertThat(ended.getFailed()).as("one since it was resumed").isEqualTo(4);
        assertThat(ended.getAcked()).isEqualTo(96);
    }

    @Test
    void aBacklogOfTheLiveGroupStopsItsLaneUntilTheGroupHasCaughtUp() {
        publish(100);
        TestMember member = member(Map.of());
        String id = start(ReplayFixture.GROUP, "g", 20, stops().setConsumerLag(5));
        publish(8);

        ReplayJob stopped = replays.awaited(id, JobRecord.PAUSED);
        assertThat(stopped.getWhy()).isEqualTo("stopped: a backlog of 8 records, allowed are 5");
        replays.resume(id);
        assertThat(replays.awaited(id, JobRecord.PAUSED).getWhy())
                .as("still behind")
                .contains("backlog of 8");

        settleAll(member, ACK);
        replays.resume(id);
        assertThat(replays.ackUntilDone(id, member).getAcked()).isEqualTo(100);
    }

    @Test
    void aBacklogOfTheTopicItCopiesToStopsACopy() {
        shard.createTopic("again", Map.of("accepts", "replay"));
        TestMember reader = shard.join("again", "slow", Map.of());
        publish(300);
        String id = start(ReplayFixture.TOPIC, "again", 100, stops().setConsumerLag(30));

        ReplayJob stopped = replays.awaited(id, JobRecord.PAUSED);
        assertThat(stopped.getWhy()).startsWith("stopped: a backlog of ").endsWith("allowed are 30");
        assertThat(stopped.getDone()).isLessThan(300);

        settleAll(reader, ACK);
        replays.resume(id);
        assertThat(replays.ackUntilDone(id, reader).getRedelivered()).isEqualTo(300);
    }

    @Test
    void aBacklogOfTheTopicTheyGoBackToStopsARedrive() {
        publish(300);
        TestMember member = shard.join("orders", "g", NO_BREAKER);
        settleAll(member, TERM);
        assertThat(shard.records("orders.dlq")).hasSize(300);
        String id = replays.start(ReplayFixture.start(
                        replays.plan(ReplayFixture.of("orders.dlq")),
                        ReplayFixture.ORIGIN,
                        "",
                        stops().setConsumerLag(30))
                .setRate(100));

        ReplayJob stopped = replays.awaited(id, JobRecord.PAUSED);
        assertThat(stopped.getWhy()).startsWith("stopped: a backlog of ").endsWith("allowed are 30");
        assertThat(stopped.getDone()).isLessThan(300);

        settleAll(member, ACK);
        replays.resume(id);
        assertThat(replays.ackUntilDone(id, member).getRedelivered()).isEqualTo(300);
    }

    @Test
    void aBreakerThatTripsInALanePausesTheJobAndLeavesTheGroupAlone() {
        publish(10);
        TestMember member = member(Map.of("dlq.breaker.percent", "50", "dlq.breaker.min", "4"));
        String id = replays.start("orders", ReplayFixture.GROUP, "g", stops());
        replays.until(() -> member.received.size() == 10, "the lane's records");
        replays.settle(member, TERM);

        ReplayJob stopped = replays.awaited(id, JobRecord.PAUSED);
        assertThat(stopped.getWhy()).startsWith("stopped: DLQ_BREAKER: 4 of 4 outcomes");
        assertThat(stopped.getFailed()).isEqualTo(4);
        assertThat(shard.records("orders.dlq")).hasSize(4);
        assertThat(shard.group("orders", "g").getPaused()).isFalse();
        publish(1);
        replays.pass(1_000);
        assertThat(member.received)
                .extracting(TestMember.Delivered::offset)
                .as("live records go on, those of the lane do not")
                .containsExactly(10L);

        replays.resume(id);
        ReplayJob ended = replays.ackUntilDone(id, member);
        assertThat(ended.getAcked()).isEqualTo(6);
        assertThat(ended.getFailed()).isEqualTo(4);
        assertThat(shard.records("orders.dlq")).hasSize(4);
    }

    @Test
    void whyAnOperatorPausedACopyIsNotLostToAnErrorOfWhatWasOnItsWay() {
        publish(500);
        for (int steps = 1; steps <= 4; steps++) { // a record is on its way at every other step
            String id = start(ReplayFixture.ORIGIN, "", 100, stops());
            replays.pass(10L * steps);

            assertThat(replays.pause(id).getWhy()).isEqualTo("paused by tester: to look");
            replays.pass(100);
            assertThat(replays.job(id).getWhy()).isEqualTo("paused by tester: to look");
            assertThat(replays.job(id).getErrors()).isPositive();
        }
    }
}
