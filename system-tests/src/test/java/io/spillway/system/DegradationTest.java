package io.spillway.system;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.spillway.client.OutgoingRecord;
import io.spillway.client.Producer;
import io.spillway.client.SpillwayClient;
import io.spillway.client.StartPosition;
import io.spillway.client.Subscription;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The step of degradation as operators see it, by how much of the disk publishing needs. */
@Timeout(120)
class DegradationTest {
    private static final HttpClient HTTP = HttpClient.newHttpClient();
    private static final OutgoingRecord RECORD = OutgoingRecord.of("x".getBytes(UTF_8));
    private static final Duration PATIENCE = Duration.ofSeconds(20);
    private static final Duration SHORT = Duration.ofMillis(500);

    @TempDir
    Path directory;

    private BrokerProcess withMinFree(int percentOfFree) throws IOException {
        long freeBytes = Files.getFileStore(directory).getUsableSpace();
        return BrokerProcess.start(directory.resolve("data"), "log.min-free-bytes=" + freeBytes / 100 * percentOfFree);
    }

    private static String get(BrokerProcess broker, String path) throws IOException, InterruptedException {
        HttpRequest request = HttpRequest.newBuilder(URI.create("http://" + broker.http() + path))
                .build();
        return HTTP.send(request, BodyHandlers.ofString()).body();
    }

    private static void awaitStep(BrokerProcess broker, int step, String name) {
        await().atMost(PATIENCE).untilAsserted(() -> {
            assertThat(get(broker, "/health")).contains("\"step\":" + step + ",\"what\":\"" + name + "\"");
            assertThat(get(broker, "/metrics")).contains("spillway_degradation_step " + step + ".0");
        });
    }

    @ParameterizedTest
    @CsvSource({"1, NORMAL, 0", "33, ELEVATED, 1", "80, OVERLOADED, 3"})
    void theDiskIsAStep(int percent, String name, int step) throws IOException {
        try (BrokerProcess broker = withMinFree(percent)) {
            awaitStep(broker, step, name);
        }
    }

    @Test
    void aDiskThatFillsUpRefusesNoTopicsGroupsAndSeeks() throws IOException {
        try (BrokerProcess broker = withMinFree(58);
                SpillwayClient client = broker.client()) {
            awaitStep(broker, 2, "THROTTLED");

            client.admin().createTopic("orders", 1, Map.of("durability", "synced"));
            client.admin().alterTopic("orders", Map.of("retention.ms", "3600000"));
            try (Producer producer = client.producer("orders").open();
                    Subscription billing =
                            client.subscribe("orders").group("billing").open()) {
                producer.publishAndWait(RECORD, PATIENCE);
                assertThat(billing.poll(PATIENCE)).isNotNull();
            }
            client.admin().seekGroup("orders", "billing", StartPosition.earliest(), false, "again");
        }
    }

    @Test
    void onAFullDiskConsumersGetWhatThereIsUntilTheReserveIsInUse() throws IOException, InterruptedException {
        try (BrokerProcess calm = withMinFree(1);
                SpillwayClient client = calm.client()) {
            client.admin().createTopic("orders", 1, Map.of("durability", "synced"));
            client.subscribe("orders").group("billing").open().close();
            try (Producer producer = client.producer("orders").open()) {
                producer.publishAndWait(RECORD, PATIENCE);
            }
            calm.terminate();
        }
        // A quarter of it is for no segment at all, so there is none that could take an ack.
        try (BrokerProcess full = withMinFree(500);
                SpillwayClient client = full.client();
                Subscription billing =
                        client.subscribe("orders").group("billing").open()) {
            awaitStep(full, 6, "RESERVE");
            assertThat(billing.poll(SHORT)).as("nothing new is delivered").isNull();
            assertThat(get(full, "/diagnose?topic=orders&group=billing")).contains("\"cause\":\"RESERVE\"");
        }
        try (BrokerProcess full = withMinFree(130);
                SpillwayClient client = full.client();
                Subscription billing =
                        client.subscribe("orders").group("billing").open()) {
            awaitStep(full, 5, "READ_ONLY");
            assertThat(billing.poll(PATIENCE)).isNotNull();
        }
    }
}
