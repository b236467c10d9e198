package io.spillway.system;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.spillway.client.Admin;
import io.spillway.client.GroupMode;
import io.spillway.client.Message;
import io.spillway.client.OutgoingRecord;
import io.spillway.client.Producer;
import io.spillway.client.ReplayJob;
import io.spillway.client.ReplayOptions;
import io.spillway.client.ReplayPlan;
import io.spillway.client.ReplaySelection;
import io.spillway.client.ReplayTarget;
import io.spillway.client.SpillwayClient;
import io.spillway.client.SpillwayException;
import io.spillway.client.StartPosition;
import io.spillway.client.Subscription;
import io.spillway.protocol.Code;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Plans and replays against a real broker: every target, crashes, holds, stops, and what the audit says. */
@Timeout(120)
class ReplayTest {
    private static final Duration PATIENCE = Duration.ofSeconds(30);
    private static final ReplayOptions TEST = ReplayOptions.because("a test");

    @TempDir
    Path directory;

    private BrokerProcess broker;
    private SpillwayClient client;
    private Admin admin;

    @BeforeEach
    void start() {
        broker = BrokerProcess.start(directory.resolve("data"), "retention.check-interval-ms=200ms");
        client = broker.client();
        admin = client.admin();
    }

    @AfterEach
    void stop() {
        client.close();
        broker.close();
    }

    private void publish(String topic, int from, int to) {
        try (Producer producer = client.producer(topic).open()) {
            for (int i = from; i < to; i++) {
                producer.publish(OutgoingRecord.builder(text(i))
                        .key("k" + i % 10)
                        .header("even", i % 2 == 0 ? "yes" : "no")
                        .header("n", Integer.toString(i))
                        .build());
            }
            producer.flush(PATIENCE);
        }
    }

    private static byte[] text(int number) {
        return Integer.toString(number).getBytes(StandardCharsets.UTF_8);
    }

    private static int number(Message message) {
        return Integer.parseInt(new String(message.value(), StandardCharsets.UTF_8));
    }

    private List<Message> readAll(String topic) {
        long end = admin.describeTopic(topic).partitions().stream()
                .mapToLong(partition -> partition.endOffset() - partition.startOffset())
                .sum();
        List<Message> all = new ArrayList<>();
        try (Subscription reader =
                client.subscribe(topic).start(StartPosition.earliest()).open()) {
            await("all records of " + topic).atMost(PATIENCE).until(() -> {
                all.addAll(reader.poll(10_000, Duration.ofMillis(100)));
                return all.size() >= end;
            });
        }
        return all;
    }

    private ReplayJob done(ReplayJob job) {
        ReplayJob ended = admin.awaitReplay(job.id(), PATIENCE);
        assertThat(ended.state()).as(ended.why()).isEqualTo(ReplayJob.State.DONE);
        return ended;
    }

    private static String header(Message message, String name) {
        return message.headers().stream()
                .filter(header -> header.name().equals(name))
                .map(header -> new String(header.value(), StandardCharsets.UTF_8))
                .findFirst()
                .orElse("");
    }

    @Test
    void aPlanCountsExactlyWhatItSelects() {
        admin.createTopic("orders", 3, Map.of());
        publish("orders", 0, 1_000);

        ReplayPlan all = admin.planReplay(ReplaySelection.of("orders"));
        ReplayPlan even = admin.planReplay(ReplaySelection.of("orders").filter("even = 'yes' && n < 500"));
        ReplayPlan keyed =
                admin.planReplay(ReplaySelection.of("orders").key("k3").key("k4"));
        ReplayPlan sampled = admin.planReplay(ReplaySelection.of("orders").samplePerMille(100));

        assertThat(all.records()).isEqualTo(1_000);
        assertThat(all.keys()).isEqualTo(10);
        assertThat(all.keysExact()).isTrue();
        assertThat(all.partitions().stream()
                        .mapToLong(ReplayPlan.Range::records)
                        .sum())
                .isEqualTo(1_000);
        assertThat(even.records()).isEqualTo(250);
        assertThat(keyed.records()).isEqualTo(200);
        assertThat(sampled.records()).isBetween(40L, 200L);
        assertThat(admin.planReplay(ReplaySelection.of("orders").samplePerMille(100))
                        .records())
                .as("the same sample again")
                .isEqualTo(sampled.records());
        assertThatThrownBy(() -> admin.planReplay(ReplaySelection.of("orders").filter("even =")))
                .isInstanceOfSatisfying(
                        SpillwayException.class,
                        e -> assertThat(e.is(Code.INVALID_ARGUMENT)).isTrue());
    }

    @Test
    void aSecondRunIntoATopicAddsNothing() {
        admin.createTopic("orders", 2, Map.of());
        admin.createTopic("again", 2, Map.of("accepts", "replay"));
        admin.createTopic("closed", 1, Map.of());
        publish("orders", 0, 3_000);
        ReplayPlan plan = admin.planReplay(ReplaySelection.of("orders").filter("even = 'yes'"));

        assertThatThrownBy(() -> admin.startReplay(plan.id(), ReplayTarget.topic("closed"), TEST))
                .isInstanceOfSatisfying(SpillwayException.class, e -> {
                    assertThat(e.is(Code.INVALID_ARGUMENT)).isTrue();
                    assertThat(e.why()).contains("accepts");
                });
        ReplayJob first = done(admin.startReplay(plan.id(), ReplayTarget.topic("again"), TEST));
        ReplayJob second = done(admin.startReplay(plan.id(), ReplayTarget.topic("again"), TEST));

        assertThat(first.redelivered()).isEqualTo(1_500);
        assertThat(first.duplicates()).isZero();
        assertThat(second.redelivered()).isZero();
        assertThat(second.duplicates()).isEqualTo(1_500);
        List<Message> copies = readAll("again");
        assertThat(copies.stream().map(ReplayTest::number).collect(Collectors.toSet()))
                .hasSize(1_500)
                .allMatch(number -> number % 2 == 0);
        assertThat(copies).hasSize(1_500).allSatisfy(copy -> {
            assertThat(header(copy, "spillway-replay-id")).isEqualTo(first.id());
            assertThat(header(copy, "spillway-replay-topic")).isEqualTo("orders");
            assertThat(header(copy, "even")).isEqualTo("yes");
        });
    }

    @Test
    void aLaneDeliversBesideLiveRecordsAndLeavesTheCursorAlone() {
        admin.createTopic("orders", 1, Map.of());
        publish("orders", 0, 1_000);
        Set<Long> again = new HashSet<>();
        try (Subscription group = client.subscribe("orders").group("g").open()) {
            settle(group, 1_000);
            long cursor = admin.describeGroup("orders", "g").partitions().get(0).cursor();
            assertThat(cursor).isEqualTo(1_000);
            ReplayPlan plan = admin.planReplay(ReplaySelection.of("orders").filter("even = 'yes'"));
            ReplayJob job = admin.startReplay(plan.id(), ReplayTarget.group("g"), TEST);
            publish("orders", 1_000, 1_500);
            List<Long> live = new ArrayList<>();
            await("live and replayed records").atMost(PATIENCE).until(() -> {
                for (Message message : group.poll(1_000, Duration.ofMillis(100))) {
                    (message.offset() < 1_000 ? again : live).add(message.offset());
                    message.ack();
                }
                return again.size() == 500 && live.size() == 500;
            });

            ReplayJob ended = done(job);
            assertThat(live).as("live records keep their order").isSorted();
            assertThat(again).allMatch(offset -> offset % 2 == 0);
            assertThat(ended.acked()).isEqualTo(500);
            assertThat(ended.redelivered()).isEqualTo(500);
            assertThat(ended.open()).isZero();
            await("acks to be written")
                    .atMost(PATIENCE)
                    .until(() -> admin.describeGroup("orders", "g")
                                    .partitions()
                                    .get(0)
                                    .cursor()
                            == 1_500);
        }
    }

    private static void settle(Subscription group, int count) {
        Set<Long> seen = new TreeSet<>();
        await("the group to be through").atMost(PATIENCE).until(() -> {
            for (Message message : group.poll(1_000, Duration.ofMillis(100))) {
                seen.add(message.offset());
                message.ack();
            }
            group.flushAcks(PATIENCE);
            return seen.size() >= count;
        });
    }

    @Test
    void aNewGroupGetsThePlanAndNothingElse() {
        admin.createTopic("orders", 2, Map.of());
        publish("orders", 0, 400);
        ReplayPlan plan = admin.planReplay(ReplaySelection.of("orders").key("k7"));
        ReplayJob job = admin.startReplay(plan.id(), ReplayTarget.newGroup("audit"), TEST);
        publish("orders", 400, 500);

        Set<Integer> seen = new HashSet<>();
        try (Subscription group = client.subscribe("orders").group("audit").open()) {
            await("the job to end").atMost(PATIENCE).until(() -> {
                for (Message message : group.poll(100, Duration.ofMillis(50))) {
                    seen.add(number(message));
                    message.ack();
                }
                return admin.replay(job.id()).state() == ReplayJob.State.DONE;
            });
        }

        assertThat(seen).hasSize(40).allMatch(number -> number % 10 == 7 && number < 400);
        assertThatThrownBy(() -> admin.startReplay(plan.id(), ReplayTarget.newGroup("audit"), TEST))
                .isInstanceOfSatisfying(
                        SpillwayException.class,
                        e -> assertThat(e.is(Code.ALREADY_EXISTS)).isTrue());
    }

    @Test
    void deadLettersGoBackWhereTheyCameFromOnce() throws Exception {
        admin.createTopic("orders", 1, Map.of());
        publish("orders", 0, 30);
        try (Subscription group = client.subscribe("orders")
                .group("g")
                .groupSetting("dlq.breaker.percent", "0")
                .open()) {
            await("all to be given up").atMost(PATIENCE).until(() -> {
                group.poll(100, Duration.ofMillis(100)).forEach(message -> message.terminate("broken"));
                return admin.listTopics().stream()
                        .anyMatch(topic -> topic.name().equals("orders.dlq")
                                && topic.partitions().get(0).endOffset() == 30);
            });
        }
        ReplayPlan plan = admin.planReplay(ReplaySelection.of("orders.dlq").deadLetterCause("TERMINATED"));
        assertThat(plan.records()).isEqualTo(30);

        done(admin.startReplay(plan.id(), ReplayTarget.origin(), TEST));
        ReplayJob second = done(admin.startReplay(plan.id(), ReplayTarget.origin(), TEST));

        assertThat(second.duplicates()).isEqualTo(30);
        Cli third = Cli.run("dlq", "redrive", "orders", "--reason", "again", "--wait", "--endpoint", broker.wire());
        assertThat(third.exit()).as(third.err()).isZero();
        assertThat(third.out()).contains("target:      origin", "duplicates:  30");
        List<Message> all = readAll("orders");
        assertThat(all).hasSize(60);
        assertThat(all.subList(30, 60)).allSatisfy(message -> {
            assertThat(header(message, "spillway-dlq-cause")).isEmpty();
            assertThat(header(message, "spillway-replay-topic")).isEqualTo("orders.dlq");
        });
    }

    @Test
    void aCopyGoesOnAfterAKill() {
        admin.createTopic("orders", 1, Map.of("durability", "mapped"));
        admin.createTopic("again", 3, Map.of("accepts", "replay"));
        publish("orders", 0, 20_000);
        ReplayPlan plan = admin.planReplay(ReplaySelection.of("orders"));
        ReplayJob job = admin.startReplay(plan.id(), ReplayTarget.topic("again"), TEST.rate(8_000));
        await("a part to be copied")
                .atMost(PATIENCE)
                .until(() -> admin.replay(job.id()).done() > 2_000);

        broker.kill9();
        broker.start();

        ReplayJob ended = done(admin.replay(job.id()));
        assertThat(ended.done()).isEqualTo(20_000);
        assertThat(ended.errors()).isZero();
        List<Message> copies = readAll("again");
        assertThat(copies).hasSize(20_000);
        assertThat(copies.stream().map(ReplayTest::number).collect(Collectors.toSet()))
                .hasSize(20_000);
    }

    @Test
    void aLaneGoesOnAfterAKill() {
        admin.createTopic("orders", 1, Map.of());
        publish("orders", 0, 2_000);
        try (Subscription group = client.subscribe("orders").group("g").open()) {
            settle(group, 2_000);
        }
        ReplayPlan plan = admin.planReplay(ReplaySelection.of("orders").filter("even = 'yes'"));
        ReplayJob job = admin.startReplay(plan.id(), ReplayTarget.group("g"), TEST.rate(500));
        Set<Long> seen = new HashSet<>();
        try (Subscription group = client.subscribe("orders").group("g").open()) {
            await("a part to be delivered").atMost(PATIENCE).until(() -> take(group, seen) > 200);
            broker.kill9();
            broker.start();
            await("the rest").atMost(PATIENCE).until(() -> {
                take(group, seen);
                return admin.replay(job.id()).state() == ReplayJob.State.DONE;
            });
        }

        assertThat(seen).hasSize(1_000).allMatch(offset -> offset % 2 == 0);
        assertThat(admin.describeGroup("orders", "g").partitions().get(0).cursor())
                .isEqualTo(2_000);
    }

    private static int take(Subscription group, Set<Long> seen) {
        for (Message message : group.poll(100, Duration.ofMillis(50))) {
            seen.add(message.offset());
            message.ack();
        }
        return seen.size();
    }

    @Test
    void whatARunningReplayNeedsIsNotRemoved() {
        admin.createTopic("orders", 1, Map.of());
        admin.createTopic("again", 1, Map.of("accepts", "replay"));
        publish("orders", 0, 2_000);
        ReplayPlan plan = admin.planReplay(ReplaySelection.of("orders"));
        ReplayJob job = admin.startReplay(plan.id(), ReplayTarget.topic("again"), TEST.rate(100));

        assertThatThrownBy(() -> admin.purgeTopic("orders", StartPosition.latest(), "to see"))
                .isInstanceOfSatisfying(SpillwayException.class, e -> {
                    assertThat(e.is(Code.WRONG_STATE)).isTrue();
                    assertThat(e.why()).contains(job.id());
                });
        admin.alterTopic("orders", Map.of("retention.ms", "1000"));
        ReplayJob paused = admin.pauseReplay(job.id(), "to see");
        assertThat(paused.state()).isEqualTo(ReplayJob.State.PAUSED);
        broker.kill9();
        broker.start();
        assertThat(admin.replay(job.id()).state()).isEqualTo(ReplayJob.State.PAUSED);
        assertThat(admin.describeTopic("orders").partitions().get(0).startOffset())
                .isZero();

        ReplayJob cancelled = admin.cancelReplay(job.id(), "seen");
        assertThat(cancelled.state()).isEqualTo(ReplayJob.State.CANCELLED);
        admin.purgeTopic("orders", StartPosition.latest(), "now it goes");
        assertThat(admin.describeTopic("orders").partitions().get(0).startOffset())
                .isEqualTo(2_000);
        assertThatThrownBy(() -> admin.startReplay(plan.id(), ReplayTarget.topic("again"), TEST))
                .isInstanceOfSatisfying(
                        SpillwayException.class,
                        e -> assertThat(e.is(Code.POSITION_OUT_OF_RANGE)).isTrue());
    }

    @Test
    void tooManyDeadLettersPauseTheJobAndCancelEndsIt() {
        admin.createTopic("orders", 1, Map.of());
        publish("orders", 0, 500);
        try (Subscription group = client.subscribe("orders")
                .group("g")
                .groupSetting("dlq.breaker.percent", "0")
                .maxUnacked(10)
                .open()) {
            settle(group, 500);
            ReplayPlan plan = admin.planReplay(ReplaySelection.of("orders"));
            ReplayJob job = admin.startReplay(
                    plan.id(), ReplayTarget.group("g"), TEST.rate(200).maxDeadLetters(20));
            await("the job to pause").atMost(PATIENCE).until(() -> {
                group.poll(10, Duration.ofMillis(50)).forEach(message -> message.terminate("still broken"));
                return admin.replay(job.id()).state() == ReplayJob.State.PAUSED;
            });

            ReplayJob paused = admin.replay(job.id());
            assertThat(paused.why()).contains("dead letters");
            assertThat(paused.failed()).isGreaterThan(20);
            ReplayJob cancelled = admin.cancelReplay(job.id(), "enough");
            assertThat(cancelled.open()).isPositive();
            assertThat(cancelled.failed() + cancelled.acked() + cancelled.open())
                    .isEqualTo(500);
            admin.deleteReplayPlan(plan.id());
            assertThat(admin.replayPlans()).isEmpty();
        }
    }

    @Test
    void theCommandLinePlansWritesAFileAndShowsTheAudit() throws Exception {
        admin.createTopic("orders", 2, Map.of());
        publish("orders", 0, 200);
        Path file = directory.resolve("even.json");

        Cli planned = Cli.run("replay", "plan", "orders", "--filter", "even = 'yes'", "--endpoint", broker.wire());
        assertThat(planned.out()).contains("records:    100 of 200");
        String planId = planned.out().lines().findFirst().orElseThrow().substring("plan:       ".length());
        Cli written = Cli.run(
                "replay", "start", planId, "--target", "file:" + file, "--reason", "look", "--endpoint", broker.wire());
        assertThat(written.err()).isEmpty();
        assertThat(written.out()).contains("wrote 100 of 100 records");
        assertThat(Files.readAllLines(file)).hasSize(100).allMatch(line -> line.contains("\"even\":\"yes\""));

        admin.createGroup("orders", "g", GroupMode.SHARED, StartPosition.earliest(), Map.of());
        admin.seekGroup("orders", "g", StartPosition.latest(), false, "skip it all");
        Cli audit = Cli.run("audit", "--endpoint", broker.wire());
        assertThat(audit.err()).isEmpty();
        assertThat(audit.out().lines().map(line -> line.split("  ")[1]).toList())
                .containsExactly(
                        "replay.start requested", "replay.start done", "group.seek requested", "group.seek done");
        assertThat(audit.out()).contains("\"look\"", "\"skip it all\"", "target=file:", "spillway-cli @ ");

        assertThatThrownBy(() -> client.producer("spillway.audit").open())
                .isInstanceOfSatisfying(
                        SpillwayException.class,
                        e -> assertThat(e.is(Code.PERMISSION_DENIED)).isTrue());
        assertThatThrownBy(() -> admin.deleteTopic("spillway.audit"))
                .isInstanceOfSatisfying(
                        SpillwayException.class,
                        e -> assertThat(e.is(Code.PERMISSION_DENIED)).isTrue());
    }
}
