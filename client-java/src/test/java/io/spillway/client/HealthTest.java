package io.spillway.client;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.spillway.protocol.Features;
import io.spillway.protocol.v1.HealthReport;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** What the broker is told of the client's health. */
@Timeout(60)
final class HealthTest {
    private static final Duration QUICK = Duration.ofMillis(200);
    private static final Duration LONG = Duration.ofSeconds(10);

    private final FakeBroker broker = new FakeBroker();

    @BeforeEach
    void begin() {
        broker.on(() -> {
            broker.topics.create("orders", 1);
            broker.features = List.of(Features.HEALTH_REPORTS);
            return null;
        });
    }

    @AfterEach
    void close() {
        broker.close();
    }

    private ClientBuilder client() {
        return SpillwayClient.builder().endpoints(broker.endpoint());
    }

    private HealthReport last() {
        List<HealthReport> reports = broker.reports;
        return reports.isEmpty() ? HealthReport.getDefaultInstance() : reports.get(reports.size() - 1);
    }

    @Test
    void aBrokerThatReadsHealthReportsGetsThem() {
        try (SpillwayClient client = client().connect();
                Subscription member = client.subscribe("orders").group("g").open()) {
            await().until(() -> last().getSeq() >= 2);
            assertThat(last().getIntervalMs()).isEqualTo(1_000);
            assertThat(client.health().state()).isNotEqualTo(HealthState.DRAINING);
            assertThat(broker.hellos.get(0).getFeaturesList()).contains(Features.HEALTH_REPORTS);
        }
    }

    @Test
    void aClientWithoutASubscriptionReportsNothing() {
        AtomicInteger asked = new AtomicInteger();
        try (SpillwayClient client = client().healthInterval(QUICK)
                .appHealth(() -> {
                    asked.incrementAndGet();
                    return new AppHealth(HealthState.READY, 0);
                })
                .connect()) {
            await().until(() -> asked.get() >= 2);
            client.admin().describeTopic("orders");
            assertThat(broker.reports).isEmpty();
            client.subscribe("orders").group("g").open().close();
            long before = last().getSeq();
            try (Subscription member = client.subscribe("orders").group("g").open()) {
                await().until(() -> last().getSeq() > before);
            }
        }
    }

    @Test
    void aBrokerThatDoesNotReadHealthReportsGetsNone() {
        broker.on(() -> broker.features = List.of());
        AtomicInteger asked = new AtomicInteger();
        try (SpillwayClient client = client().healthInterval(QUICK)
                        .appHealth(() -> {
                            asked.incrementAndGet();
                            return new AppHealth(HealthState.READY, 0);
                        })
                        .connect();
                Subscription member = client.subscribe("orders").group("g").open()) {
            await().until(() -> asked.get() >= 2);
            client.admin().describeTopic("orders");
            assertThat(broker.reports).isEmpty();
        }
    }

    @Test
    void healthReportsCanBeTurnedOff() {
        AtomicBoolean asked = new AtomicBoolean();
        try (SpillwayClient client = client().healthInterval(Duration.ZERO)
                        .appHealth(() -> {
                            asked.set(true);
                            return new AppHealth(HealthState.CRITICAL, 0);
                        })
                        .connect();
                Subscription member = client.subscribe("orders").group("g").open()) {
            client.admin().describeTopic("orders");
            assertThat(client.health().state()).isEqualTo(HealthState.READY);
        }
        assertThat(asked).isFalse();
        assertThat(broker.reports).isEmpty();
        assertThat(broker.hellos.get(0).getFeaturesList()).doesNotContain(Features.HEALTH_REPORTS);
    }

    @Test
    void theApplicationSaysHowItIs() {
        AtomicBoolean ill = new AtomicBoolean();
        AtomicBoolean measured = new AtomicBoolean();
        ClientMetrics metrics = new ClientMetrics() {
            @Override
            public void onHealth(Health health) {
                measured.compareAndSet(false, health.state() == HealthState.CRITICAL);
            }
        };
        try (SpillwayClient client = client().healthInterval(QUICK)
                        .metrics(metrics)
                        .appHealth(() -> ill.get()
                                ? new AppHealth(HealthState.CRITICAL, 930)
                                : new AppHealth(HealthState.READY, 0))
                        .connect();
                Subscription member = client.subscribe("orders").group("g").open()) {
            await().until(() -> last().getSeq() > 0);
            ill.set(true);
            await().until(() -> last().getState() == 2
                    && last().getHandoffRequested()
                    && last().getReasonsList().contains(8)
                    && last().getAppUtilPm() >= 930);
            assertThat(client.health().state()).isEqualTo(HealthState.CRITICAL);
            assertThat(client.health().reasons()).contains("MANUAL");
            assertThat(measured).isTrue();
        }
    }

    @Test
    void stallsForMemoryAreSeenInTheFilesOfLinux(@TempDir Path root) throws IOException {
        Path pressure = Files.createDirectories(root.resolve("proc/pressure"));
        Files.writeString(
                pressure.resolve("memory"),
                "some avg10=9.50 avg60=1.00 avg300=0.10 total=1\nfull avg10=1.25 avg60=0.10 avg300=0.01 total=1\n");
        Files.writeString(
                pressure.resolve("io"),
                "some avg10=30.00 avg60=1.00 avg300=0.10 total=1\nfull avg10=2.00 avg60=0.10 avg300=0.01 total=1\n");
        try (SpillwayClient client =
                        client().healthInterval(QUICK).healthRoot(root).connect();
                Subscription member = client.subscribe("orders").group("g").open()) {
            await().until(() ->
                    last().getState() == 1 && last().getReasonsList().contains(2));
            assertThat(client.health().reasons()).contains("MEMORY");
            assertThat(last().getPsiMemSomePm()).isEqualTo(95);
            assertThat(last().getPsiMemFullPm()).isEqualTo(12);
            assertThat(last().getPsiIoSomePm()).isEqualTo(300);
            assertThat(last().getPsiIoFullPm()).isEqualTo(20);
        }
    }

    @Test
    void whatHandlersDoIsReported() {
        CountDownLatch released = new CountDownLatch(1);
        MessageHandler handler = message -> {
            released.await();
            throw new IllegalStateException("refused");
        };
        try (SpillwayClient client = client().healthInterval(QUICK).connect();
                Producer producer = client.producer("orders").open();
                Subscription subscription =
                        client.subscribe("orders").group("g").start(handler, 2)) {
            producer.publishAndWait(OutgoingRecord.of("x".getBytes(UTF_8)), LONG);
            await().until(() -> last().getInflight() == 1 && last().getMaxInflight() == 2);
            released.countDown();
            // A report may come after the handler's end and before its record is settled.
            await().until(() -> broker.reports.stream().anyMatch(report -> report.getEpsMilli() > 0));
            await().until(() -> broker.reports.stream().anyMatch(report -> report.getHandlerP99Us() > 1_000));
            assertThat(subscription.ended()).isNotDone();
        }
    }

    @Test
    void aClientThatDrainsSaysSo() {
        try (SpillwayClient client = client().connect();
                Producer producer = client.producer("orders").open();
                Subscription subscription =
                        client.subscribe("orders").group("g").open()) {
            producer.publishAndWait(OutgoingRecord.of("x".getBytes(UTF_8)), LONG);
            Message message = subscription.poll(1, LONG).get(0);
            CompletableFuture<Void> drained = CompletableFuture.runAsync(() -> subscription.drain(LONG));
            await().until(() -> last().getState() == 3);
            message.ack();
            assertThat(drained).succeedsWithin(LONG);
        }
    }

    @Test
    void anIntervalOutOfItsRangeIsRefused() {
        assertThatThrownBy(() -> client().healthInterval(Duration.ofMillis(1))).isInstanceOf(SpillwayException.class);
    }

    @Test
    void percentilesAreNoMoreThanAQuarterOff() {
        for (long us : new long[] {0, 1, 3, 4, 7, 8, 9, 1_023, 1_024, 1L << 31}) {
            assertThat(Workload.endUs(Workload.bucket(us))).isBetween(us, us + us / 4);
        }
        Workload work = new Workload();
        for (int us = 1; us <= 1_000; us++) {
            work.begin();
            work.end(us * 1_000L);
        }
        Workload.Done done = work.take();
        assertThat(done.p50Us()).isBetween(500, 625);
        assertThat(done.p99Us()).isBetween(990, 1_240);
        assertThat(work.take().p99Us()).isZero();
    }
}
