package io.spillway.system;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.spillway.client.Message;
import io.spillway.client.OutgoingRecord;
import io.spillway.client.Producer;
import io.spillway.client.SpillwayClient;
import io.spillway.client.StartPosition;
import io.spillway.client.Subscription;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** What a broker writes to standard error with logging.format=json: every line is an object. */
@Timeout(120)
final class JsonLogTest {
    private static final Duration SOON = Duration.ofSeconds(20);
    private static final String TRACE = "4bf92f3577b34da6a3ce929d0e0e4736";
    private static final ObjectMapper JSON = new ObjectMapper();

    @TempDir
    private Path directory;

    /** Every line, each of which must be one object with what all lines have. */
    private static List<JsonNode> lines(Path file) throws IOException {
        List<JsonNode> lines = new ArrayList<>();
        for (String line : Files.readString(file).lines().toList()) {
            JsonNode object = JSON.readTree(line);
            assertThat(object.isObject()).as(line).isTrue();
            assertThat(Instant.parse(object.path("ts").asText())).as(line).isAfter(Instant.EPOCH);
            assertThat(object.path("level").asText()).as(line).isIn("DEBUG", "INFO", "WARN", "ERROR");
            assertThat(object.path("logger").asText()).as(line).isNotEmpty();
            assertThat(object.path("message").asText()).as(line).isNotEmpty();
            if (object.path("logger").asText().startsWith("io.spillway") && isIncident(object)) {
                for (String field : List.of("what", "why", "next")) {
                    assertThat(object.path(field).asText())
                            .as(field + " of " + line)
                            .isNotEmpty();
                }
            }
            lines.add(object);
        }
        return lines;
    }

    private static boolean isIncident(JsonNode line) {
        return List.of("WARN", "ERROR").contains(line.path("level").asText());
    }

    private static JsonNode event(Path file, String event) throws IOException {
        return lines(file).stream()
                .filter(line -> line.path("event").asText().equals(event))
                .findFirst()
                .orElse(JSON.missingNode());
    }

    @Test
    void saysOfAnIncidentWhatWhyAndWhatNextAndWhoseItIs() throws Exception {
        Path err = directory.resolve("data.err");
        try (BrokerProcess broker = BrokerProcess.start(directory.resolve("data"), "logging.format=json");
                SpillwayClient client = broker.client()) {
            client.admin().createTopic("orders", 1, Map.of("durability", "mapped"));
            try (Producer producer = client.producer("orders").open()) {
                producer.publishAndWait(
                        OutgoingRecord.builder("v".getBytes(StandardCharsets.UTF_8))
                                .traceparent("00-" + TRACE + "-00f067aa0ba902b7-01")
                                .correlationId("order-7")
                                .build(),
                        SOON);
            }
            try (Subscription group = client.subscribe("orders")
                    .group("billing")
                    .start(StartPosition.earliest())
                    .open()) {
                Message message = Objects.requireNonNull(group.poll(SOON), "no message came in time");
                message.terminate("\"card\" refused\nby the bank");
                group.flushAcks(SOON);
            }
            await("the dead letter's line")
                    .atMost(SOON)
                    .until(() -> event(err, "dead_letter").isObject());
            assertThat(broker.terminate()).isZero();
        }

        JsonNode line = event(err, "dead_letter");
        assertThat(line.path("level").asText()).isEqualTo("WARN");
        assertThat(line.path("logger").asText()).isEqualTo("io.spillway.broker.shard.DeadLetterEvents");
        assertThat(line.path("topic").asText()).isEqualTo("orders/0");
        assertThat(line.path("offset").asText()).isEqualTo("0");
        assertThat(line.path("group").asText()).isEqualTo("billing");
        assertThat(line.path("code").asText()).isEqualTo("TERMINATED");
        assertThat(line.path("what").asText()).isEqualTo("a record was given up");
        assertThat(line.path("why").asText()).contains("card", "refused by the bank");
        assertThat(line.path("next").asText()).isEqualTo("spillway dlq list orders");
        assertThat(line.path("correlation_id").asText()).isEqualTo("order-7");
        assertThat(line.path("trace_id").asText()).isEqualTo(TRACE);
    }

    @Test
    void saysItLikeThatTooWhenTheBrokerCannotStart() throws Exception {
        Path data = Files.writeString(directory.resolve("file"), "not a directory");

        Cli run = Cli.run("serve", "--data-dir", data.toString(), "--set", "logging.format=json");

        Path err = Files.writeString(directory.resolve("err"), run.err());
        assertThat(run.exit()).isNotZero();
        JsonNode line = event(err, "not_started");
        assertThat(line.path("level").asText()).isEqualTo("ERROR");
        assertThat(line.path("code").asText()).isNotEmpty();
    }
}
