package io.spillway.conformance;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.spillway.client.SpillwayClient;
import io.spillway.system.BrokerProcess;
import io.spillway.system.otlp.OtlpReceiver;
import io.spillway.system.otlp.ReceivedSpan;
import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * One story across processes and languages: a producer in Go, a broker, and a consumer in Rust send their spans to one collector,
 * each for itself, and what comes together there is a tree.
 */
@Timeout(value = 20, unit = TimeUnit.MINUTES)
final class TraceStoryTest {
    private static final Path ROOT = Path.of(Objects.requireNonNull(System.getProperty("spillway.root")));
    private static final Duration PATIENCE = Duration.ofSeconds(60);
    private static final int ORDERS = 3;
    private static final long CLOCK_NS = 5_000_000;

    private static final int INTERNAL = 1;
    private static final int SERVER = 2;
    private static final int CLIENT = 3;
    private static final int PRODUCER = 4;
    private static final int CONSUMER = 5;

    @TempDir
    private Path directory;

    private void run(Path where, int minutes, String... command) throws IOException, InterruptedException {
        Path log = Files.createTempFile(directory, command[0].replace('/', '_'), ".log");
        Process process = new ProcessBuilder(command)
                .directory(where.toFile())
                .redirectErrorStream(true)
                .redirectOutput(log.toFile())
                .start();
        boolean ended = process.waitFor(minutes, TimeUnit.MINUTES);
        process.destroyForcibly();
        assertThat(ended && process.exitValue() == 0)
                .as("%s ends well; it said: %s", String.join(" ", command), Files.readString(log))
                .isTrue();
    }

    /** As the drivers are, in ConformanceTest: a language that was not asked for, and is not here, is left out. */
    private static void assumeTool(String language, String tool) {
        boolean isHere = List.of(System.getenv().getOrDefault("PATH", "").split(File.pathSeparator)).stream()
                .anyMatch(each -> Files.isExecutable(Path.of(each, tool)));
        boolean isWanted = System.getProperty("conformance.languages", "").contains(language);
        assertThat(isHere || !isWanted).as(tool + " is on this machine").isTrue();
        assumeTrue(isHere, tool + " is not on this machine");
    }

    @Test
    void aPublishInGoAndItsHandlingInRustAreOneTraceWithTheBrokersPart() throws Exception {
        assumeTool("go", "go");
        assumeTool("rust", "cargo");
        Path producer = directory.resolve("producer");
        run(ROOT.resolve("go-client/otel"), 15, "go", "build", "-o", producer.toString(), "./examples/producer");
        // With the features that make test-rust and .ci/run build with, so that little is compiled here.
        run(
                ROOT.resolve("rust-client"),
                15,
                "cargo",
                "build",
                "--quiet",
                "--workspace",
                "--all-features",
                "--example",
                "traced_consumer");
        Path consumer = ROOT.resolve("rust-client/target/debug/examples/traced_consumer");

        try (OtlpReceiver collector = OtlpReceiver.start();
                BrokerProcess broker = BrokerProcess.start(
                        directory.resolve("data"), "tracing.otlp-endpoint=http://" + collector.address())) {
            createTopic(broker);
            String count = Integer.toString(ORDERS);
            String url = "http://" + collector.address() + "/v1/traces";
            run(
                    directory,
                    2,
                    producer.toString(),
                    "-endpoint",
                    broker.wire(),
                    "-topic",
                    "orders",
                    "-otlp",
                    url,
                    "-count",
                    count);
            run(
                    directory,
                    2,
                    consumer.toString(),
                    "--endpoint",
                    broker.wire(),
                    "--topic",
                    "orders",
                    "--group",
                    "billing",
                    "--otlp",
                    collector.address(),
                    "--count",
                    count);

            List<ReceivedSpan> sent = collector.spans().stream()
                    .filter(span -> span.name().equals("send orders"))
                    .toList();
            assertThat(sent).hasSize(ORDERS);
            Set<String> traces = new HashSet<>();
            for (ReceivedSpan send : sent) {
                traces.add(send.traceId());
                assertStory(collector, send);
            }
            assertThat(traces).as("a trace for each record").hasSize(ORDERS);
            assertThat(collector.wrong()).isEmpty();
        }
    }

    private static void createTopic(BrokerProcess broker) {
        try (SpillwayClient client =
                SpillwayClient.builder().endpoints(broker.wire()).connect()) {
            client.admin().createTopic("orders", 1, Map.of());
        }
    }

    private static void assertStory(OtlpReceiver collector, ReceivedSpan send) {
        String trace = send.traceId();
        await("the whole story")
                .atMost(PATIENCE)
                .untilAsserted(() -> assertThat(collector.spans())
                        .filteredOn(span -> span.traceId().equals(trace))
                        .extracting(span -> span.service() + ": " + span.name())
                        .containsExactlyInAnyOrder(
                                "orders: take order",
                                "orders: send orders",
                                "spillway: append orders",
                                "spillway: deliver orders",
                                "billing: process orders",
                                "billing: ack orders",
                                "spillway: ack orders"));
        ReceivedSpan order = span(collector, trace, "orders", "take order");
        ReceivedSpan append = span(collector, trace, "spillway", "append orders");
        ReceivedSpan deliver = span(collector, trace, "spillway", "deliver orders");
        ReceivedSpan process = span(collector, trace, "billing", "process orders");
        ReceivedSpan ack = span(collector, trace, "billing", "ack orders");
        ReceivedSpan settled = span(collector, trace, "spillway", "ack orders");

        assertThat(order.parentId()).isEmpty();
        assertPlace(send, PRODUCER, order);
        assertPlace(append, SERVER, send);
        assertPlace(deliver, INTERNAL, send, append);
        assertPlace(process, CONSUMER, send, send);
        assertPlace(ack, CLIENT, process);
        assertPlace(settled, SERVER, deliver, send);
        assertThat(List.of(send, append, deliver, process, ack, settled)).allSatisfy(span -> {
            assertThat(span.attribute("messaging.system")).isEqualTo("spillway");
            assertThat(span.attribute("messaging.message.id")).isEqualTo(send.attribute("messaging.message.id"));
            assertThat(span.attribute("messaging.destination.name")).isEqualTo("orders");
            assertThat(span.isError()).isFalse();
        });
        assertThat(List.of(send, append, deliver, process, ack, settled))
                .extracting(span -> span.attribute("messaging.message.conversation_id"))
                .as("the correlation id")
                .containsOnly(send.attribute("messaging.message.conversation_id"))
                .doesNotContain("");
        // One machine, one clock, but for what it is set right by meanwhile.
        assertThat(append.startNs()).isBetween(send.startNs() - CLOCK_NS, send.endNs() + CLOCK_NS);
        assertThat(deliver.startNs()).isGreaterThanOrEqualTo(append.startNs());
        assertThat(settled.startNs()).isGreaterThanOrEqualTo(deliver.startNs());
    }

    private static void assertPlace(ReceivedSpan span, int kind, ReceivedSpan parent, ReceivedSpan... linked) {
        assertThat(span.parentId()).as("parent of " + span.name()).isEqualTo(parent.spanId());
        assertThat(span.kind()).as("kind of " + span.name()).isEqualTo(kind);
        assertThat(span.links())
                .as("links of " + span.name())
                .containsExactly(
                        List.of(linked).stream().map(ReceivedSpan::spanId).toArray(String[]::new));
    }

    private static ReceivedSpan span(OtlpReceiver collector, String trace, String service, String name) {
        return collector.spans(trace, name).stream()
                .filter(span -> span.service().equals(service))
                .findFirst()
                .orElseThrow();
    }
}
