package io.spillway.broker.cli;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.spillway.broker.metrics.Metric;
import io.spillway.broker.metrics.MetricNames;
import io.spillway.broker.metrics.MetricsLint;
import io.spillway.client.GroupMode;
import io.spillway.client.Message;
import io.spillway.client.OutgoingRecord;
import io.spillway.client.Producer;
import io.spillway.client.ReplayOptions;
import io.spillway.client.ReplaySelection;
import io.spillway.client.ReplayTarget;
import io.spillway.client.SpillwayClient;
import io.spillway.client.StartPosition;
import io.spillway.client.Subscription;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.Objects;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The metrics of a broker that has done something of everything, as Prometheus reads them. */
@Timeout(60)
final class ScrapedMetricsTest {
    private static final Duration PATIENCE = Duration.ofSeconds(20);

    @TempDir
    private Path directory;

    private static OutgoingRecord record(String value) {
        return OutgoingRecord.of("k".getBytes(UTF_8), value.getBytes(UTF_8));
    }

    @Test
    void theyAreAllThereAndAsPrometheusWantsThem() throws Exception {
        try (RunningBroker broker = new RunningBroker(directory.resolve("data"), 1);
                SpillwayClient client = unwatched(broker)) {
            client.admin().createTopic("orders", 1, Map.of("durability", "synced"));
            client.admin().createTopic("again", 1, Map.of("accepts", "replay"));
            client.admin().createTopic("mapped", 1, Map.of("durability", "mapped"));
            try (Producer producer = client.producer("orders").open();
                    Producer mapped = client.producer("mapped").open();
                    Subscription held = client.subscribe("orders")
                            .group("billing")
                            .mode(GroupMode.KEY_ORDERED)
                            .start(StartPosition.earliest())
                            .open()) {
                mapped.publishAndWait(record("m"), PATIENCE);
                for (String value : new String[] {"dead", "failing", "held", "behind"}) {
                    producer.publishAndWait(record(value), PATIENCE);
                }
                next(held).terminate("never");
                next(held).nack("not now");
                Message again = next(held);
                assertThat(again.attempt()).isEqualTo(2);
                again.ack();
                Message last = next(held);
                held.flushAcks(PATIENCE);
                replay(client);

                await("the figures")
                        .atMost(PATIENCE)
                        .untilAsserted(() -> assertThat(broker.get("/metrics").body())
                                .contains("spillway_dead_letters_total{cause=\"TERMINATED\"} 1.0")
                                .contains("spillway_redelivered_records_total{cause=\"failed\"} 1.0")
                                .contains("spillway_groups_blocked{cause=\"KEY_BLOCKED\"} 1.0")
                                .containsPattern(
                                        "spillway_dispatch_blocked_seconds_total\\{cause=\"KEY_BLOCKED\"} [1-9]")
                                .contains("spillway_publish_ack_duration_seconds_count{durability=\"mapped\"} 1\n")
                                .containsPattern(
                                        "spillway_publish_ack_duration_seconds_count\\{durability=\"synced\"} [4-9]")
                                .containsPattern("spillway_log_sync_duration_seconds_count [1-9]")
                                .contains("spillway_in_flight_records 1.0")
                                .contains("spillway_backlog_records 2.0")
                                .contains("spillway_consumer_weight{health=\"READY\"} 1.0\n")
                                .contains("spillway_ready 1.0")
                                .contains("spillway_build_info{java="));
                last.ack();
            }
            String scrape = broker.get("/metrics").body();

            assertThat(MetricsLint.faults(scrape, "spillway_")).isEmpty();
            assertThat(MetricNames.ALL)
                    .extracting(Metric::name)
                    .filteredOn(name -> !name.startsWith("spillway_cluster_")
                            && !name.startsWith("spillway_link_")
                            && !name.startsWith("spillway_quarantine_"))
                    .as("there without a cluster and links")
                    .allSatisfy(name -> assertThat(scrape).contains("# TYPE " + name + " "));
            assertThat(scrape.lines().filter(line -> line.startsWith("# TYPE spillway_")))
                    .as("all of them are in the list")
                    .allSatisfy(line ->
                            assertThat(MetricNames.ALL).extracting(Metric::name).contains(line.split(" ")[2]));
        }
    }

    /** A client that is READY however busy the machine is, since it does not say how it is. */
    private static SpillwayClient unwatched(RunningBroker broker) {
        return broker.clientBuilder().healthInterval(Duration.ZERO).connect();
    }

    private static Message next(Subscription held) {
        return Objects.requireNonNull(held.poll(PATIENCE));
    }

    private static void replay(SpillwayClient client) {
        var plan = client.admin().planReplay(ReplaySelection.of("orders"));
        var job = client.admin().startReplay(plan.id(), ReplayTarget.topic("again"), ReplayOptions.because("a test"));
        client.admin().awaitReplay(job.id(), PATIENCE);
    }
}
