package io.spillway.client;

import static org.assertj.core.api.Assertions.assertThat;

import io.spillway.examples.ConsumeExample;
import io.spillway.examples.IdempotentExample;
import io.spillway.examples.PublishExample;
import io.spillway.examples.WorkerExample;
import java.time.Duration;
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
    void publishesWithAnIdempotencyKey() {
        PublishAck ack = IdempotentExample.run("orders", "payment-1", "100 EUR", broker.endpoint());

        assertThat(ack.offset()).isZero();
        assertThat(broker.on(() -> broker.topics.dedupIds("orders", 0))).containsExactly("payment-1");
    }
}
