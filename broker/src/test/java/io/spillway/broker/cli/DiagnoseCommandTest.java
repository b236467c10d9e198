package io.spillway.broker.cli;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.spillway.client.GroupMode;
import io.spillway.client.Message;
import io.spillway.client.OutgoingRecord;
import io.spillway.client.Producer;
import io.spillway.client.SpillwayClient;
import io.spillway.client.StartPosition;
import io.spillway.client.Subscription;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** What is wrong with a real broker, as its operator is told by the command line and by HTTP. */
@Timeout(60)
final class DiagnoseCommandTest {
    private static final Duration PATIENCE = Duration.ofSeconds(20);
    private static final Map<String, String> MAPPED = Map.of("durability", "mapped");
    private static final ObjectMapper JSON = new ObjectMapper();

    @TempDir
    private static Path directory;

    private static RunningBroker broker;
    private static SpillwayClient client;

    @BeforeAll
    static void start() {
        broker = new RunningBroker(directory.resolve("data"), 1);
        client = broker.client();
    }

    @AfterAll
    static void stop() {
        client.close();
        broker.close();
    }

    private static void publish(String topic, String key, String... values) {
        try (Producer producer = client.producer(topic).open()) {
            for (String value : values) {
                byte[] bytes = key.isEmpty() ? null : key.getBytes(UTF_8);
                producer.publishAndWait(OutgoingRecord.of(bytes, value.getBytes(UTF_8)), PATIENCE);
            }
        }
    }

    private static Subscription subscribe(String topic, String group, GroupMode mode) {
        return client.subscribe(topic)
                .group(group)
                .mode(mode)
                .start(StartPosition.earliest())
                .name("worker1")
                .open();
    }

    /** The diagnosis of one thing, once it has this cause. */
    private static JsonNode named(String cause, String... scope) {
        String[] command = new String[scope.length + 3];
        command[0] = "diagnose";
        System.arraycopy(scope, 0, command, 1, scope.length);
        command[scope.length + 1] = "--output";
        command[scope.length + 2] = "json";
        JsonNode[] found = new JsonNode[1];
        await(cause).atMost(PATIENCE).untilAsserted(() -> {
            CommandRun run = broker.run(command);
            assertThat(run.err()).isEmpty();
            for (JsonNode each : JSON.readTree(run.out()).get("diagnoses")) {
                if (each.get("cause").asText().equals(cause)) {
                    found[0] = each;
                }
            }
            assertThat(found[0]).as(run.out()).isNotNull();
        });
        return found[0];
    }

    @Test
    void aGroupWithoutConsumersIsSaidToHaveNone() {
        client.admin().createTopic("alone", 1, MAPPED);
        subscribe("alone", "billing", GroupMode.SHARED).close();
        publish("alone", "", "a", "b");
        named("NO_MEMBERS", "group", "alone", "billing");

        CommandRun run = broker.run("diagnose", "group", "alone", "billing");

        assertThat(run.exitCode()).isEqualTo(ExitCode.FAILURE);
        assertThat(run.out()).matches("""
                group billing of topic alone: NO_MEMBERS
                  what:  records wait, and the group has no consumers
                  why:   2 records wait, and 0 consumers are there
                  since: [0-9T:.-]+Z
                  next:  start a consumer of the group, or, when nobody needs it any more: spillway group delete alone billing
                  see:   docs/operations/runbooks/no-members.md
                """);
        assertThat(broker.run("diagnose", "topic", "alone").out())
                .contains("topic alone: ACCEPTING\n", "group billing of topic alone: NO_MEMBERS\n");
        assertThat(named("NO_MEMBERS").get("name").asText())
                .as("also to who asks for all")
                .isNotEmpty();
    }

    @Test
    void whoHoldsAKeyIsNamedAndSoIsWhatThatConsumerDoes() {
        client.admin().createTopic("keyed", 1, MAPPED);
        try (Subscription held = subscribe("keyed", "billing", GroupMode.KEY_ORDERED)) {
            publish("keyed", "k", "first", "second");
            Message first = Objects.requireNonNull(held.poll(PATIENCE));

            JsonNode found = named("KEY_BLOCKED", "group", "keyed", "billing");

            assertThat(found.get("why").asText())
                    .matches(
                            "1 records wait; record 0 of partition 0 is with worker1 for \\d+ ms, attempt 1, and its lease"
                                    + " ends in \\d+ ms");
            assertThat(named("KEY_BLOCKED", "member", "worker1").get("about").asText())
                    .isEqualTo("consumer worker1 of group billing of topic keyed");
            first.ack();
            assertThat(held.poll(PATIENCE)).isNotNull();
        }
    }

    @Test
    void aTopicThatTakesNothingSaysWhy() {
        client.admin().createTopic("paused", 1, MAPPED);
        client.admin().pauseTopic("paused", true, true, "maintenance");
        JsonNode paused = named("PUBLISH_PAUSED", "topic", "paused");
        assertThat(paused.get("why").asText()).isEqualTo("maintenance");
        assertThat(paused.get("since_ms").asLong()).isPositive();
        client.admin().resumeTopic("paused", true, true, "done");
        named("ACCEPTING", "topic", "paused");

        client.admin().createTopic("full", 1, Map.of("durability", "mapped", "backlog.records", "1"));
        publish("full", "", "a");
        assertThat(named("QUEUE_FULL", "topic", "full").get("why").asText())
                .isEqualTo("what is stored is 1 by backlog.records, the bound is 1");
        assertThat(broker.run("check", "topics").exitCode()).isEqualTo(2);
        client.admin().deleteTopic("full");
    }

    private static String served(int exitCode, String service) {
        CommandRun run = broker.run("check", "--service", service);
        assertThat(run.exitCode()).as(run.err()).isEqualTo(exitCode);
        return run.out().strip();
    }

    @Test
    void aServiceServesOrDoesNotOrIsUnknown() throws Exception {
        client.admin().createTopic("served", 1, MAPPED);
        publish("served", "", "a");
        subscribe("served", "billing", GroupMode.SHARED).close();

        assertThat(served(0, "")).isEqualTo("SERVING");
        for (String service : List.of("readiness", "liveness", "startup", "topic/served")) {
            assertThat(served(0, service)).isEqualTo("SERVING " + service);
        }
        assertThat(served(2, "group/served/billing"))
                .startsWith("NOT_SERVING group/served/billing: NO_MEMBERS: ")
                .contains("; next: ");
        for (String service : List.of("topic/none", "group/served/none", "nonsense")) {
            assertThat(served(3, service)).isEqualTo("SERVICE_UNKNOWN " + service);
        }

        client.admin().pauseTopic("served", true, false, "maintenance");
        assertThat(served(2, "topic/served"))
                .startsWith("NOT_SERVING topic/served: PUBLISH_PAUSED: maintenance; next: ");
        JsonNode answer = JSON.readTree(broker.run("check", "--service", "topic/served", "--output", "json")
                .out());
        assertThat(answer.path("status").asText()).isEqualTo("NOT_SERVING");
        assertThat(answer.at("/diagnoses/0/cause").asText()).isEqualTo("PUBLISH_PAUSED");
        client.admin().deleteTopic("served");
    }

    @Test
    void whoOwesToAQuotaIsNamed() {
        client.admin().createTopic("bounded", 1, MAPPED);
        assertThat(broker.run("quota", "set", "topic", "bounded", "--rate", "1").exitCode())
                .isZero();
        await("the quota is in effect").atMost(PATIENCE).untilAsserted(() -> {
            publish("bounded", "", "a");
            JsonNode all = JSON.readTree(broker.run("diagnose", "topic", "bounded", "--output", "json")
                    .out());
            assertThat(all.at("/diagnoses/0/cause").asText()).isEqualTo("QUOTA");
            assertThat(all.at("/diagnoses/0/why").asText()).contains("topic:bounded owes ", " at 1 bytes a second");
        });
        assertThat(named("QUOTA", "node").get("next_step").asText()).contains("spillway quota set");
        assertThat(broker.run("check", "pressure").out()).startsWith("WARNING  pressure: node ");
        assertThat(broker.run("quota", "remove", "topic", "bounded").exitCode()).isZero();
        client.admin().deleteTopic("bounded");
    }

    @Test
    void aToggleThatShedsAndOneThatShouldBeGoneAreSaid() {
        assertThat(broker.run("toggle", "set", "broker.shed_class_min", "3", "--reason", "test")
                        .exitCode())
                .isZero();
        named("SHED_BY_TOGGLE", "node");
        assertThat(broker.run("toggle", "set", "broker.shed_class_min", "none", "--reason", "test", "--expires", "1ms")
                        .exitCode())
                .isZero();
        assertThat(named("TOGGLE_EXPIRED", "node").get("why").asText()).isEqualTo("1 toggles are past their time");
        CommandRun check = broker.run("check", "settings");
        assertThat(check.exitCode()).isEqualTo(1);
        assertThat(check.out()).contains("WARNING  settings: node ", "TOGGLE_EXPIRED");
        assertThat(broker.run("toggle", "set", "broker.shed_class_min", "default", "--reason", "test")
                        .exitCode())
                .isZero();
    }

    @Test
    void whatIsNotThereIsNotFound() {
        assertThat(broker.run("diagnose", "topic", "nowhere").exitCode()).isEqualTo(ExitCode.NOT_FOUND);
        client.admin().createTopic("known", 1, MAPPED);
        CommandRun group = broker.run("diagnose", "group", "known", "nobody");
        assertThat(group.exitCode()).isEqualTo(ExitCode.NOT_FOUND);
        assertThat(group.err()).startsWith("error: GROUP_NOT_FOUND: ").contains("; next: ");
        assertThat(broker.run("diagnose", "member", "nobody").err()).startsWith("error: NOT_FOUND: ");
        assertThat(broker.run("diagnose", "cluster").err()).contains("this broker is in no cluster");
    }

    @Test
    void parametersThatMeanNothingTogetherAreRefused() throws Exception {
        assertThat(broker.get("/diagnose?group=billing").statusCode()).isEqualTo(400);
        assertThat(broker.get("/diagnose?scope=world").body()).contains("INVALID_ARGUMENT", "scope is world");
        assertThat(broker.get("/diagnose?scope=node").statusCode()).isEqualTo(200);
    }

    @Test
    void whoDoesNotAnswerIsCriticalToACheckAndUnreachableToADiagnosis() {
        assertThat(CommandRun.of("check", "--http", "127.0.0.1:1").exitCode()).isEqualTo(2);
        assertThat(CommandRun.of("check", "--http", "127.0.0.1:1").err()).startsWith("CRITICAL no broker answers at");
        assertThat(CommandRun.of("check", "--http", "nonsense").exitCode()).isEqualTo(3);
        assertThat(CommandRun.of("check", "--no-such-option").exitCode()).isEqualTo(3);
        assertThat(broker.run("check", "weather").exitCode()).isEqualTo(3);
        assertThat(CommandRun.of("diagnose", "--http", "127.0.0.1:1").exitCode())
                .isEqualTo(ExitCode.UNREACHABLE);
    }

    @Test
    void aBrokerOnWhichNothingIsWrongIsWell() throws Exception {
        try (RunningBroker fresh = new RunningBroker(directory.resolve("fresh"), 1)) {
            CommandRun all = fresh.run("diagnose");
            assertThat(all.exitCode()).isZero();
            assertThat(all.out()).matches("node \\S+: WELL\n  what:  nothing is wrong\n  why:   it serves clients\n");
            CommandRun check = fresh.run("check");
            assertThat(check.exitCode()).isZero();
            assertThat(check.out().lines())
                    .containsExactly(
                            "OK       process",
                            "OK       storage",
                            "OK       cluster",
                            "OK       pressure",
                            "OK       topics",
                            "OK       delivery",
                            "OK       links",
                            "OK       settings");
            assertThat(fresh.run("check", "storage", "--output", "json").out())
                    .isEqualTo("{\"check\":\"storage\",\"severity\":\"OK\",\"found\":[]}\n");
            assertThat(fresh.get("/startupz").body()).isEqualTo("started\n");
            assertThat(JSON.readTree(fresh.get("/health?verbose").body())
                            .at("/checks/0/check")
                            .asText())
                    .isEqualTo("process");
        }
    }

    @Test
    void aDiskThatIsTooFullStopsPublishingAndIsCritical() throws Exception {
        long freeBytes = Files.getFileStore(directory).getUsableSpace();
        try (RunningBroker full = new RunningBroker(directory.resolve("full"), freeBytes * 2)) {
            await("no room").atMost(PATIENCE).untilAsserted(() -> {
                CommandRun node = full.run("diagnose", "node");
                assertThat(node.exitCode()).isEqualTo(ExitCode.FAILURE);
                assertThat(node.out()).contains(": READ_ONLY\n", "runbooks/read-only.md");
            });
            CommandRun check = full.run("check", "storage");
            assertThat(check.exitCode()).isEqualTo(2);
            assertThat(check.out()).startsWith("CRITICAL storage: node ").contains("READ_ONLY: shard-0: ");
            assertThat(full.get("/readyz").body())
                    .contains("\"cause\":\"READ_ONLY\"", "\"runbook\":\"docs/operations/runbooks/read-only.md\"");
            assertThat(full.get("/startupz").statusCode()).as("it has started").isEqualTo(200);
            assertThat(full.get("/metrics").body()).contains("spillway_node_trouble{cause=\"READ_ONLY\"} 1.0");
        }
    }

    @Test
    void pressureIsSaidWithItsMeasure() throws Exception {
        long freeBytes = Files.getFileStore(directory).getUsableSpace();
        try (RunningBroker pressed = new RunningBroker(directory.resolve("pressed"), freeBytes / 100 * 58)) {
            await("pressure")
                    .atMost(PATIENCE)
                    .untilAsserted(
                            () -> assertThat(pressed.run("diagnose", "node").out())
                                    .containsPattern(
                                            "OVERLOADED\n.*\n  why:   broker is THROTTLED because of DISK_SPACE: 5\\d\\d per mille")
                                    .contains("the line is 500 per mille", "free disk space"));
        }
    }

    @Test
    void aBrokerThatGoesAwaySaysSo() {
        RunningBroker going = new RunningBroker(directory.resolve("going"), 1);
        try (SpillwayClient at = going.client()) {
            at.admin().createTopic("orders", 1, MAPPED);
            try (Subscription held = at.subscribe("orders")
                            .group("billing")
                            .start(StartPosition.earliest())
                            .open();
                    Producer producer = at.producer("orders").open()) {
                producer.publishAndWait(OutgoingRecord.of(new byte[1]), PATIENCE);
                Message message = Objects.requireNonNull(held.poll(PATIENCE));
                CompletableFuture<Void> stopped = CompletableFuture.runAsync(going::close);

                await("the drain")
                        .atMost(PATIENCE)
                        .untilAsserted(() -> assertThat(going.run("diagnose", "group", "orders", "billing")
                                        .out())
                                .contains("group billing of topic orders: DRAINING"));
                message.ack();
                stopped.join();
            }
        }
    }
}
