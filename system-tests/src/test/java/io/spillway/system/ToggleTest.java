package io.spillway.system;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;
import static org.awaitility.Awaitility.await;

import io.spillway.client.Durability;
import io.spillway.client.OutgoingRecord;
import io.spillway.client.Producer;
import io.spillway.client.SpillwayClient;
import io.spillway.client.SpillwayException;
import io.spillway.client.Subscription;
import io.spillway.protocol.Code;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Toggles and switches from the command line to clients, through a kill of the broker. */
@Timeout(120)
class ToggleTest {
    private static final Duration SHORT = Duration.ofMillis(500);
    private static final Duration LONG = Duration.ofSeconds(10);
    private static final OutgoingRecord RECORD = OutgoingRecord.of("x".getBytes(UTF_8));

    @TempDir
    Path directory;

    private BrokerProcess broker;

    @BeforeEach
    void start() {
        broker = BrokerProcess.start(directory.resolve("data"));
    }

    @AfterEach
    void stop() {
        broker.close();
    }

    private Cli toggle(String... arguments) throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(List.of("toggle"));
        command.addAll(List.of(arguments));
        command.addAll(List.of("--http", broker.http()));
        return Cli.run(command.toArray(String[]::new));
    }

    private String done(String... arguments) throws IOException, InterruptedException {
        Cli run = toggle(arguments);
        assertThat(run.exit()).as(run.err()).isZero();
        return run.out();
    }

    private String topic(String... arguments) throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(List.of("topic"));
        command.addAll(List.of(arguments));
        command.addAll(List.of("--endpoint", broker.wire()));
        Cli run = Cli.run(command.toArray(String[]::new));
        assertThat(run.exit()).as(run.err()).isZero();
        return run.out();
    }

    @Test
    void aToggleIsSetForAllOrAShareAndClientsHearOfItAndItOutlivesTheBroker() throws IOException, InterruptedException {
        assertThat(done("list")).contains("dispatch.weighted", "broker.shed_class_min", "ack.degraded_allowed");
        try (SpillwayClient client = broker.client()) {
            done("set", "app.beta", "on", "--reason", "try it", "--expect-revision", "0");
            await().until(() -> client.toggles().isEnabled("app.beta"));

            assertThat(toggle("set", "app.beta", "off", "--reason", "late", "--expect-revision", "0"))
                    .satisfies(run -> assertThat(run.isOneLineError("REVISION_MISMATCH"))
                            .as(run.err())
                            .isTrue());
            assertThat(toggle("set", "app.beta", "off").exit())
                    .as("a reason has to be given")
                    .isEqualTo(2);

            broker.kill9();
            broker.start();
            assertThat(done("show", "app.beta")).contains("on", "revision   1", "try it");
            assertThat(client.toggles().isEnabled("app.beta")).isTrue();

            done("set", "app.beta", "on", "--reason", "for go only", "--scope", "lang:go");
            await().until(() -> !client.toggles().isEnabled("app.beta"));
        }
    }

    @Test
    void whatNobodyConfirmsIsRevertedAndTheAuditSaysSo() throws IOException, InterruptedException {
        done("set", "app.beta", "on", "--reason", "first");
        done("set", "app.beta", "off", "--reason", "risky", "--revert-after", "1s", "--ticket", "OPS-1");
        await().untilAsserted(() -> assertThat(done("show", "app.beta"))
                .contains("revision   3", "by broker", "nobody confirmed")
                .contains("set        on"));

        done("set", "app.beta", "off", "--reason", "again", "--revert-after", "1h");
        done("confirm", "app.beta", "--reason", "it is well");
        assertThat(done("list")).doesNotContain("reverts at");

        Cli audit = Cli.run("audit", "--endpoint", broker.wire());
        assertThat(audit.out())
                .contains("toggle.set", "toggle.revert", "toggle.confirm")
                .contains("risky", "OPS-1");
    }

    @Test
    void whatIsToggledOffInMidRunIsOffUntilItIsReverted() throws IOException, InterruptedException {
        try (SpillwayClient client = broker.client()) {
            client.admin().createTopic("orders", 1, Map.of("durability", "mapped"));
            try (Producer weak = client.producer("orders")
                    .durability(Durability.QUORUM)
                    .allowDegraded(true)
                    .open()) {
                assertThat(weak.publishAndWait(RECORD, LONG).degraded()).isTrue();

                done("set", "ack.degraded_allowed", "off", "--reason", "an audit", "--revert-after", "3s");
                await().untilAsserted(() -> {
                    SpillwayException refused =
                            catchThrowableOfType(SpillwayException.class, () -> weak.publishAndWait(RECORD, LONG));
                    assertThat(refused).isNotNull();
                    assertThat(refused.is(Code.DURABILITY_UNAVAILABLE)).isTrue();
                });
                await().ignoreExceptions()
                        .untilAsserted(() -> assertThat(
                                        weak.publishAndWait(RECORD, LONG).degraded())
                                .isTrue());
            }
        }
        assertThat(Cli.run("audit", "--endpoint", broker.wire()).out())
                .contains("toggle.set", "toggle.revert", "ack.degraded_allowed", "an audit");
    }

    @Test
    void anOperatorShedsClassesAndATopicHasOneOfItsOwn() throws IOException, InterruptedException {
        try (SpillwayClient client = broker.client()) {
            client.admin().createTopic("orders", 1, Map.of("durability", "mapped"));
            client.admin().createTopic("reports", 1, Map.of("durability", "mapped"));
            topic("shed-class", "reports", "3", "--reason", "can wait");
            try (Producer orders = client.producer("orders").open();
                    Producer reports =
                            client.producer("reports").deliveryTimeout(SHORT).open()) {
                reports.publishAndWait(RECORD, Duration.ofSeconds(10));

                done("set", "broker.shed_class_min", "3", "--reason", "incident");
                await().untilAsserted(() -> {
                    SpillwayException refused = catchThrowableOfType(
                            SpillwayException.class, () -> reports.publishAndWait(RECORD, Duration.ofSeconds(10)));
                    assertThat(refused).isNotNull();
                    assertThat(refused.toString()).contains("OVERLOADED");
                });
                orders.publishAndWait(RECORD, Duration.ofSeconds(10));

                done("set", "broker.shed_class_min", "default", "--reason", "over");
                await().ignoreExceptions().untilAsserted(() -> reports.publishAndWait(RECORD, Duration.ofSeconds(10)));
            }
        }
    }

    @Test
    void aPausedTopicStaysPausedThroughAKillUntilItIsResumed() throws IOException, InterruptedException {
        try (SpillwayClient client = broker.client()) {
            client.admin().createTopic("orders", 1, Map.of("durability", "synced"));
            topic("pause", "orders", "--publish", "--dispatch", "--reason", "migration");
            broker.kill9();
            broker.start();

            assertThat(topic("describe", "orders")).contains("publish PAUSED, dispatch PAUSED", "migration");
            try (Producer producer =
                            client.producer("orders").deliveryTimeout(SHORT).open();
                    Subscription billing =
                            client.subscribe("orders").group("billing").open()) {
                SpillwayException refused = catchThrowableOfType(
                        SpillwayException.class, () -> producer.publishAndWait(RECORD, Duration.ofSeconds(10)));
                assertThat(refused.toString()).contains("THROTTLED");

                topic("resume", "orders", "--publish", "--reason", "half way");
                await().ignoreExceptions().untilAsserted(() -> producer.publishAndWait(RECORD, Duration.ofSeconds(10)));
                assertThat(billing.poll(SHORT)).as("dispatch is still paused").isNull();

                topic("resume", "orders", "--dispatch", "--reason", "done");
                assertThat(billing.poll(Duration.ofSeconds(20))).isNotNull();
            }
        }
        assertThat(topic("describe", "orders")).contains("publish on, dispatch on");
    }
}
