package io.spillway.broker.cli;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.spillway.client.OutgoingRecord;
import io.spillway.client.Producer;
import io.spillway.client.SpillwayClient;
import io.spillway.client.SpillwayException;
import io.spillway.client.StartPosition;
import io.spillway.client.Subscription;
import io.spillway.protocol.Code;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.TestInstance.Lifecycle;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Each fault, injected into a broker, and what its clients and operators see of it. */
@Timeout(60)
@TestInstance(Lifecycle.PER_CLASS)
final class ChaosCommandTest {
    private static final Duration PATIENCE = Duration.ofSeconds(20);
    private static final Pattern ID = Pattern.compile("spillway chaos stop ([0-9a-f]{6})");

    @TempDir
    private static Path directory;

    private RunningBroker broker;
    private SpillwayClient client;

    private static OutgoingRecord record(String value) {
        return OutgoingRecord.of(value.getBytes(UTF_8));
    }

    @BeforeAll
    void start() {
        broker = new RunningBroker(
                directory.resolve("data"), 1, List.of("chaos.enabled=true", "canary.interval-ms=100ms"));
        client = broker.client();
    }

    @AfterAll
    void stop() {
        client.close();
        broker.close();
    }

    @AfterEach
    void endAll() {
        assertThat(broker.run("chaos", "stop", "--all").exitCode()).isZero();
    }

    private String inject(String... command) {
        List<String> all = new ArrayList<>(List.of("chaos", "start"));
        all.addAll(List.of(command));
        all.addAll(List.of("--reason", "game day"));
        if (!all.contains("--ttl")) {
            all.addAll(List.of("--ttl", "5m"));
        }
        CommandRun run = broker.run(all.toArray(String[]::new));
        assertThat(run.exitCode()).as(run.err()).isZero();
        Matcher id = ID.matcher(run.out());
        assertThat(id.find()).as(run.out()).isTrue();
        return id.group(1);
    }

    private void topic(String name) {
        client.admin().createTopic(name, 1, Map.of("durability", "synced"));
    }

    private String get(String path) throws Exception {
        return broker.get(path).body();
    }

    @Test
    void aDelayHoldsRequestsBackInTheirOrder() throws Exception {
        topic("delayed");
        try (Producer producer = client.producer("delayed").open()) {
            String id = inject("delay", "--topic", "delayed", "--delay", "300ms", "--percent", "50");
            long startNs = System.nanoTime();
            List<CompletableFuture<?>> acks = new ArrayList<>();
            for (int i = 0; i < 20; i++) {
                acks.add(producer.publish(record(String.valueOf(i))));
                producer.flush(PATIENCE);
            }
            CompletableFuture.allOf(acks.toArray(CompletableFuture<?>[]::new)).get(20, TimeUnit.SECONDS);

            assertThat(TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - startNs))
                    .as("one at least was drawn, and could not be faster")
                    .isGreaterThanOrEqualTo(300);
            assertThat(get("/diagnose?topic=delayed")).contains("\"cause\":\"CHAOS\"", "(" + id + "): game day");
            assertThat(broker.run("chaos", "list").out())
                    .containsPattern(id + " +delay 300 ms of topic delayed, 50 % +\\d+ s +[1-9]\\d* ");
        }
        try (Subscription reader = client.subscribe("delayed")
                .partitions(0)
                .start(StartPosition.earliest())
                .open()) {
            for (int i = 0; i < 20; i++) {
                assertThat(Objects.requireNonNull(reader.poll(PATIENCE)).value())
                        .asString(UTF_8)
                        .isEqualTo(String.valueOf(i));
            }
        }
    }

    @Test
    void anErrorTellsTheClientThatItWasInjectedByWhomAndUntilWhen() {
        topic("erring");
        try (Producer producer = client.producer("erring").open();
                SpillwayClient other = broker.client()) {
            String id = inject(
                    "error",
                    "--topic",
                    "erring",
                    "--code",
                    "PERMISSION_DENIED",
                    "--principal",
                    "tester",
                    "--domain",
                    "java");

            assertThatThrownBy(() -> producer.publishAndWait(record("a"), PATIENCE))
                    .isInstanceOfSatisfying(SpillwayException.class, refusal -> {
                        assertThat(refusal.is(Code.PERMISSION_DENIED)).isTrue();
                        assertThat(refusal.why())
                                .contains("error PERMISSION_DENIED of topic erring", "injected by", "until");
                        assertThat(refusal.details()).containsEntry("chaos", id);
                    });
            assertThatThrownBy(() -> other.subscribe("erring").group("g").open())
                    .isInstanceOf(SpillwayException.class);
            assertThat(client.admin().describeTopic("erring").name())
                    .as("operators are not hit")
                    .isEqualTo("erring");

            assertThat(broker.run("chaos", "stop", id, "--reason", "seen").out())
                    .contains("error PERMISSION_DENIED of topic erring, principal tester, domain java has ended");
            producer.publishAndWait(record("b"), PATIENCE);
        }
    }

    @Test
    void whatIsDroppedIsNeverAnswered() {
        topic("dropped");
        try (SpillwayClient hasty = SpillwayClient.builder()
                .endpoints("127.0.0.1:" + broker.broker.wireAddress().getPort())
                .requestTimeout(Duration.ofMillis(300))
                .connect()) {
            String id = inject("drop", "--topic", "dropped");

            assertThatThrownBy(() -> hasty.subscribe("dropped").group("g").open())
                    .isInstanceOf(SpillwayException.class);

            assertThat(broker.run("chaos", "list", "--output", "json").out())
                    .containsPattern("\"id\":\"" + id + "\".*\"hits\":[1-9]");
        }
    }

    @Test
    void aSlowDiskMakesWhoWantsDurabilityWait() throws Exception {
        topic("slow");
        try (Producer producer = client.producer("slow").open()) {
            producer.publishAndWait(record("before"), PATIENCE);
            String id = inject("slow-disk", "--delay", "400ms");
            long startNs = System.nanoTime();
            producer.publishAndWait(record("a"), PATIENCE);
            producer.publishAndWait(record("b"), PATIENCE);

            assertThat(TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - startNs))
                    .isGreaterThanOrEqualTo(400);
            assertThat(get("/diagnose?scope=node")).contains("slow-disk 400 ms of all injected by", id);
            assertThat(get("/metrics")).contains("spillway_chaos_faults_active{kind=\"slow-disk\"} 1.0");
        }
    }

    @Test
    void aPauseOfDispatchIsTheCauseOfItsGroups() throws Exception {
        topic("paused");
        try (Producer producer = client.producer("paused").open();
                Subscription held = client.subscribe("paused")
                        .group("billing")
                        .start(StartPosition.earliest())
                        .open()) {
            String id = inject("pause-dispatch", "--topic", "paused");
            producer.publishAndWait(record("a"), PATIENCE);

            await("the cause")
                    .atMost(PATIENCE)
                    .untilAsserted(() -> assertThat(get("/diagnose?topic=paused&group=billing"))
                            .contains("\"cause\":\"CHAOS\"", "spillway chaos stop " + id));
            assertThat(held.poll(Duration.ofMillis(50))).isNull();
            assertThat(get("/health")).contains("\"faults\":[{\"id\":\"" + id + "\",\"kind\":\"pause-dispatch\"");

            assertThat(broker.run("chaos", "stop", id).exitCode()).isZero();
            assertThat(held.poll(PATIENCE)).isNotNull();
        }
    }

    @Test
    void aFaultEndsByItselfAndTheAuditHasItsBeginningAndItsEnd() throws Exception {
        String id = inject("drop", "--domain", "nobody", "--ttl", "1s");

        await("its end")
                .atMost(PATIENCE)
                .untilAsserted(() -> assertThat(get("/chaos")).contains("\"faults\":[]"));
        await("the audit").atMost(PATIENCE).untilAsserted(() -> {
            CommandRun audit = CommandRun.of(
                    "audit",
                    "--operation",
                    "chaos",
                    "--output",
                    "json",
                    "--endpoint",
                    "127.0.0.1:" + broker.broker.wireAddress().getPort());
            assertThat(audit.out().lines())
                    .anyMatch(line -> line.contains("\"operation\":\"chaos.start\"")
                            && line.contains("\"phase\":\"requested\"")
                            && line.contains("\"fault\":\"" + id + "\"")
                            && line.contains("\"reason\":\"game day\""))
                    .anyMatch(line -> line.contains("\"operation\":\"chaos.expire\"") && line.contains(id));
        });
    }

    @Test
    void aFaultThatMakesNoSenseIsRefused() {
        assertThat(broker.run("chaos", "start", "delai", "--ttl", "1m", "--reason", "r")
                        .err())
                .contains("INVALID_ARGUMENT", "did you mean delay?");
        assertThat(broker.run("chaos", "start", "drop", "--ttl", "2h", "--reason", "r")
                        .err())
                .contains("from 1 s to 1 h");
        assertThat(broker.run("chaos", "start", "drop", "--ttl", "1m").exitCode())
                .as("without a reason")
                .isEqualTo(ExitCode.USAGE);
        assertThat(broker.run("chaos", "start", "drop", "--ttl", "1m", "--reason", "r", "--topic", "nope")
                        .exitCode())
                .isEqualTo(ExitCode.NOT_FOUND);
        assertThat(broker.run("chaos", "start", "partition", "--peer", "n2", "--ttl", "1m", "--reason", "r")
                        .err())
                .contains("in no cluster");
        assertThat(broker.run("chaos", "stop", "000000").exitCode()).isEqualTo(ExitCode.NOT_FOUND);
    }

    @Test
    void aFailedSyncIsTakenForARealOneAndARestartEndsIt() throws Exception {
        Path data = directory.resolve("failing");
        try (RunningBroker failing = new RunningBroker(data, 1, List.of("chaos.enabled=true"));
                SpillwayClient its = failing.client()) {
            its.admin().createTopic("orders", 1, Map.of("durability", "synced"));
            CommandRun run = failing.run("chaos", "start", "failed-sync", "--ttl", "5m", "--reason", "game day");
            assertThat(run.exitCode()).as(run.err()).isZero();

            try (Producer producer = its.producer("orders")
                    .deliveryTimeout(Duration.ofSeconds(1))
                    .open()) {
                assertThatThrownBy(() -> producer.publishAndWait(record("a"), PATIENCE))
                        .isInstanceOf(SpillwayException.class);
            }

            await("the cause")
                    .atMost(PATIENCE)
                    .untilAsserted(() -> assertThat(failing.get("/readyz").body())
                            .contains("\"cause\":\"STORAGE_FAILED\"", "was made to fail: failed-sync"));
        }
        try (RunningBroker again = new RunningBroker(data, 1);
                SpillwayClient its = again.client();
                Producer producer = its.producer("orders").open()) {
            producer.publishAndWait(record("b"), PATIENCE);

            assertThat(again.get("/chaos").body()).contains("\"enabled\":false", "\"faults\":[]");
            assertThat(again.run("chaos", "start", "drop", "--ttl", "1m", "--reason", "r")
                            .err())
                    .contains("WRONG_STATE", "chaos.enabled=false", "next: to rehearse");
        }
    }

    @Test
    void theBrokersCanaryComesBackAndItsTimesAreAMetric() {
        await("round trips")
                .atMost(PATIENCE)
                .untilAsserted(() -> assertThat(get("/metrics"))
                        .containsPattern("spillway_canary_round_trip_seconds_count [1-9]")
                        .contains("# TYPE spillway_canary_last_success_age_seconds gauge"));
        assertThat(client.admin().describeTopic("spillway.canary.broker").partitions())
                .hasSize(1);
    }

    @Test
    void theCanaryOfTheCommandLineTellsScriptsHowItWent() {
        String endpoint = "127.0.0.1:" + broker.broker.wireAddress().getPort();

        CommandRun well = CommandRun.of("canary", "--once", "--endpoint", endpoint);
        assertThat(well.exitCode()).as(well.err()).isZero();
        assertThat(well.out()).matches("java ok \\d+\\.\\d ms\n");
        assertThat(client.admin().listGroups("spillway.canary.java"))
                .as("it leaves no group behind")
                .isEmpty();

        assertThat(CommandRun.of("canary", "--once", "--language", "java", "--output", "json", "--endpoint", endpoint)
                        .out())
                .matches("\\{\"language\":\"java\",\"ok\":true,\"round_trip_ms\":[0-9.]+}\n");
        assertThat(CommandRun.of("canary", "--once", "--language", "rust", "--endpoint", endpoint)
                        .exitCode())
                .as("nobody flies there")
                .isEqualTo(ExitCode.NOT_FOUND);
        inject("pause-dispatch", "--topic", "spillway.canary.java");
        CommandRun lost = CommandRun.of("canary", "--once", "--timeout", "1s", "--endpoint", endpoint);
        assertThat(lost.exitCode()).isEqualTo(ExitCode.UNREACHABLE);
        assertThat(lost.err()).contains("did not come back", "spillway diagnose group spillway.canary.java canary-");
    }

    @Test
    void anotherClientsCanaryIsWatchedByWhatItWroteLast() {
        topic("spillway.canary.go");
        try (Producer go = client.producer("spillway.canary.go").open()) {
            go.publishAndWait(record("{\"language\":\"go\",\"number\":7,\"last_ms\":2.125}"), PATIENCE);
        }
        String endpoint = "127.0.0.1:" + broker.broker.wireAddress().getPort();

        assertThat(CommandRun.of("canary", "--once", "--language", "go", "--max-age", "1h", "--endpoint", endpoint)
                        .out())
                .isEqualTo("go ok 2.1 ms\n");
        CommandRun old =
                CommandRun.of("canary", "--once", "--language", "go", "--max-age", "0ms", "--endpoint", endpoint);
        assertThat(old.exitCode()).isEqualTo(ExitCode.UNREACHABLE);
        assertThat(old.err()).contains("does not fly", "it last wrote");
    }
}
