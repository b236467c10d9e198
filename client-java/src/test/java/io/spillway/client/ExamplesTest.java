package io.spillway.client;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.spillway.examples.ConsumeExample;
import io.spillway.examples.IdempotentExample;
import io.spillway.examples.PipelineExample;
import io.spillway.examples.PublishExample;
import io.spillway.examples.WorkerExample;
import io.spillway.protocol.FrameKind;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
final class ExamplesTest {
    private final FakeBroker broker = new FakeBroker();

    @BeforeEach
    void create() {
        broker.on(() -> {
            broker.topics.create("orders", 1);
            return null;
        });
    }

    @AfterEach
    void close() {
        broker.close();
    }

    @Test
    void publishesThenReadsAll() {
        PublishAck last = PublishExample.run("orders", 50, broker.endpoint());

        assertThat(last.offset()).isEqualTo(50);
        assertThat(ConsumeExample.run("orders", Duration.ofMillis(500), broker.endpoint()))
                .hasSize(51)
                .startsWith("order 0")
                .endsWith("the last one");
    }

    @Test
    void worksInAGroup() throws InterruptedException {
        PublishExample.run("orders", 50, broker.endpoint());

        boolean done = WorkerExample.run("orders", "billing", 51, Duration.ofSeconds(20), broker.endpoint());

        assertThat(done).isTrue();
    }

    @Test
    void leavesInOrderAtSigterm() throws IOException, InterruptedException {
        broker.on(() -> {
            broker.topics.create("invoices", 1);
            return null;
        });
        PublishExample.run("orders", 2_000, broker.endpoint());
        Process pipeline = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-cp",
                        System.getProperty("java.class.path"),
                        PipelineExample.class.getName(),
                        broker.endpoint())
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
        try {
            await().atMost(Duration.ofSeconds(30)).until(() -> acked() > 0);

            pipeline.toHandle().destroy(); // SIGTERM, and its output can still be read

            assertThat(pipeline.waitFor(30, TimeUnit.SECONDS)).isTrue();
            assertThat(new String(pipeline.getInputStream().readAllBytes(), UTF_8))
                    .contains("left in order");
        } finally {
            pipeline.destroyForcibly();
        }
        List<String> invoices = broker.on(() -> broker.topics.values("invoices", 0));
        assertThat(invoices).hasSizeLessThan(2_001).doesNotHaveDuplicates();
        assertThat(acked()).as("each order with an invoice is acked").isEqualTo(invoices.size());
        assertThat(broker.count(FrameKind.UNSUBSCRIBE)).isEqualTo(1);
        assertThat(broker.received.lastIndexOf(FrameKind.UNSUBSCRIBE))
                .isLessThan(broker.received.lastIndexOf(FrameKind.BYE));
    }

    /** Orders acked so far. */
    private long acked() {
        return broker.on(() -> broker.topics.settled.stream()
                .filter(item -> item.getOutcome() == DeliveredBatch.ACCEPT)
                .mapToLong(item -> item.getLast() - item.getFirst() + 1)
                .sum());
    }

    @Test
    void publishesWithAnIdempotencyKey() {
        PublishAck ack = IdempotentExample.run("orders", "payment-1", "100 EUR", broker.endpoint());

        assertThat(ack.offset()).isZero();
        assertThat(broker.on(() -> broker.topics.dedupIds("orders", 0))).containsExactly("payment-1");
    }
}
