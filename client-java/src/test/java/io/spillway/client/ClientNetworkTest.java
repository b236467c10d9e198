package io.spillway.client;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.awaitility.Awaitility.await;

import io.spillway.protocol.Code;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Clients that share a network thread. */
@Timeout(60)
final class ClientNetworkTest {
    private static final Duration LONG = Duration.ofSeconds(20);

    private final FakeBroker broker = new FakeBroker();
    private final ClientNetwork network = ClientNetwork.create();

    @BeforeEach
    void create() {
        broker.on(() -> {
            broker.topics.create("orders", 1);
            return null;
        });
    }

    @AfterEach
    void close() {
        network.close();
        await().untilAsserted(() -> assertThat(clientThreads()).isZero());
        broker.close();
    }

    private SpillwayClient connect() {
        return SpillwayClient.builder()
                .endpoints(broker.endpoint())
                .requestTimeout(Duration.ofSeconds(3))
                .network(network)
                .connect();
    }

    private static long clientThreads() {
        return Thread.getAllStackTraces().keySet().stream()
                .filter(thread -> thread.getName().startsWith("spillway-client"))
                .count();
    }

    private static OutgoingRecord record(String value) {
        return OutgoingRecord.of(value.getBytes(UTF_8));
    }

    private static void assertRefused(Code code, ThrowingCallable call) {
        assertThatExceptionOfType(SpillwayException.class).isThrownBy(call).matches(e -> e.is(code), "is " + code);
    }

    @Test
    void manyClientsWorkOnOneThread() {
        try (SpillwayClient one = connect();
                SpillwayClient other = connect();
                Producer first = one.producer("orders").open();
                Producer second = other.producer("orders").open()) {
            CompletableFuture<String> firstThread = new CompletableFuture<>();
            CompletableFuture<String> secondThread = new CompletableFuture<>();
            first.publish(
                    record("a"),
                    (ack, error) -> firstThread.complete(Thread.currentThread().toString()));
            second.publish(
                    record("b"),
                    (ack, error) -> secondThread.complete(Thread.currentThread().toString()));

            assertThat(firstThread.orTimeout(20, TimeUnit.SECONDS).join())
                    .isEqualTo(secondThread.orTimeout(20, TimeUnit.SECONDS).join());
            assertThat(clientThreads()).isEqualTo(1);
        }
        assertThat(broker.hellos).hasSize(2);
    }

    @Test
    void whatOneClosesLeavesTheOthers() {
        SpillwayClient closed = connect();
        Producer itsProducer = closed.producer("orders").open();
        try (SpillwayClient other = connect();
                Producer producer = other.producer("orders").open()) {
            closed.close();

            assertRefused(Code.CLIENT_CLOSED, () -> closed.producer("orders").open());
            assertRefused(Code.CLIENT_CLOSED, () -> closed.admin().describeTopic("orders"));
            assertRefused(Code.CLIENT_CLOSED, () -> itsProducer.publishAndWait(record("a"), LONG));
            assertThat(producer.publishAndWait(record("b"), LONG).offset()).isZero();
        }
    }

    @Test
    void anAttemptThatFindsNobodyLeavesTheThread() {
        broker.stop();
        assertRefused(Code.CONNECT_FAILED, this::connect);
        broker.start();

        try (SpillwayClient client = connect()) {
            assertThat(client.admin().describeTopic("orders").partitions()).hasSize(1);
        }
    }

    @Test
    void doesNotWaitForItself() {
        try (SpillwayClient client = connect();
                Producer producer = client.producer("orders").open()) {
            CompletableFuture<Throwable> thrown = new CompletableFuture<>();
            producer.publish(record("a"), (ack, error) -> {
                try {
                    network.close();
                    thrown.complete(new AssertionError("it was closed"));
                } catch (SpillwayException e) {
                    thrown.complete(e);
                }
            });

            assertThat(thrown.orTimeout(20, TimeUnit.SECONDS).join())
                    .isInstanceOfSatisfying(
                            SpillwayException.class,
                            e -> assertThat(e.is(Code.INVALID_ARGUMENT)).isTrue());
        }
    }

    @Test
    void withoutItAClientIsClosed() {
        SpillwayClient client = connect();
        network.close();

        assertRefused(Code.CLIENT_CLOSED, () -> client.admin().describeTopic("orders"));
        assertRefused(Code.CLIENT_CLOSED, client::close);
    }
}
