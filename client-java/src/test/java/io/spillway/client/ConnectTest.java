package io.spillway.client;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.spillway.protocol.Code;
import io.spillway.protocol.FrameKind;
import io.spillway.protocol.Preface;
import io.spillway.protocol.v1.GoAway;
import java.io.IOException;
import java.net.ServerSocket;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutionException;
import java.util.function.Consumer;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
final class ConnectTest {
    private final FakeBroker broker = new FakeBroker();

    @AfterEach
    void close() {
        broker.close();
    }

    private ClientBuilder builder() {
        return SpillwayClient.builder().endpoints(broker.endpoint()).requestTimeout(Duration.ofSeconds(2));
    }

    private static SpillwayException thrownBy(ThrowingCallable call) {
        SpillwayException[] thrown = new SpillwayException[1];
        assertThatThrownBy(call).isInstanceOfSatisfying(SpillwayException.class, e -> thrown[0] = e);
        return thrown[0];
    }

    private static List<String> clientThreads() {
        return Thread.getAllStackTraces().keySet().stream()
                .map(Thread::getName)
                .filter(name -> name.startsWith("spillway-client"))
                .toList();
    }

    private static int freePort() throws IOException {
        try (ServerSocket socket = new ServerSocket(0)) {
            return socket.getLocalPort();
        }
    }

    @Test
    void introducesItself() {
        SpillwayClient client =
                builder().clientName("billing").zone("a").failureDomain("batch").connect();
        client.close();

        assertThat(broker.hellos).hasSize(1);
        assertThat(broker.hellos.get(0).getClientId()).isEqualTo("billing");
        assertThat(broker.hellos.get(0).getLang()).isEqualTo("java");
        assertThat(broker.hellos.get(0).getZone()).isEqualTo("a");
        assertThat(broker.hellos.get(0).getFailureDomain()).isEqualTo("batch");
        assertThat(broker.hellos.get(0).getInstanceId().size()).isEqualTo(16);
    }

    @Test
    void saysWhenNobodyListens() throws IOException {
        int port = freePort();

        SpillwayException thrown = thrownBy(
                () -> SpillwayClient.builder().endpoints("127.0.0.1:" + port).connect());

        assertThat(thrown)
                .hasToString("CONNECT_FAILED (901): cannot connect to 127.0.0.1:" + port
                        + "; cause: connection refused; next: check that a broker listens there and that the endpoint is"
                        + " right");
        await().untilAsserted(() -> assertThat(clientThreads()).isEmpty());
    }

    @Test
    void saysWhenAHostIsNotKnown() {
        SpillwayException thrown = thrownBy(() ->
                SpillwayClient.builder().endpoints("no-such-host.invalid:7400").connect());

        assertThat(thrown.is(Code.CONNECT_FAILED)).isTrue();
        assertThat(thrown.why()).isEqualTo("the host name is not known");
    }

    @Test
    void saysWhenAnEndpointIsWrong() {
        for (String wrong : List.of("localhost", "localhost:", ":7400", "localhost:99999", "localhost:x", "::1:7400")) {
            SpillwayException thrown =
                    thrownBy(() -> SpillwayClient.builder().endpoints(wrong).connect());

            assertThat(thrown.is(Code.INVALID_ARGUMENT)).as(wrong).isTrue();
            assertThat(thrown.what()).contains(wrong);
        }
    }

    @Test
    void triesTheNextEndpoint() throws IOException {
        String nobody = "127.0.0.1:" + freePort();

        SpillwayClient client =
                SpillwayClient.builder().endpoints(nobody, broker.endpoint()).connect();
        client.close();

        assertThat(broker.hellos).hasSize(1);
    }

    @Test
    void waitsForABrokerThatComesLater() {
        broker.stop();
        CompletableFuture<SpillwayClient> connecting = CompletableFuture.supplyAsync(
                () -> builder().waitForBroker(Duration.ofSeconds(20)).connect());
        broker.start();

        connecting.join().close();

        assertThat(broker.hellos).hasSize(1);
    }

    @Test
    void givesUpWaitingAtItsDeadline() {
        broker.stop();

        SpillwayException thrown =
                thrownBy(() -> builder().waitForBroker(Duration.ofMillis(300)).connect());

        assertThat(thrown.is(Code.CONNECT_FAILED)).isTrue();
    }

    @Test
    void saysWhenTheBrokerSpeaksAnotherVersion() {
        broker.prefaceCode = Preface.REFUSED_VERSION;

        SpillwayException thrown = thrownBy(() -> builder().connect());

        assertThat(thrown.is(Code.UNSUPPORTED_VERSION)).isTrue();
    }

    @Test
    void saysWhenSomethingElseListensThere() throws IOException {
        try (ServerSocket other = new ServerSocket(0)) {
            CompletableFuture<Void> answered = CompletableFuture.runAsync(() -> {
                try (var socket = other.accept()) {
                    socket.getOutputStream().write("HTTP/1.1 400 Bad Request\r\n\r\n".getBytes(UTF_8));
                    socket.getInputStream().readAllBytes();
                } catch (IOException e) {
                    throw new java.io.UncheckedIOException(e);
                }
            });

            SpillwayException thrown = thrownBy(() -> SpillwayClient.builder()
                    .endpoints("127.0.0.1:" + other.getLocalPort())
                    .connect());

            assertThat(thrown.is(Code.CONNECT_FAILED)).isTrue();
            assertThat(thrown.why()).contains("not a Spillway preface");
            assertThat(answered).satisfies(CompletableFuture::join);
        }
    }

    @Test
    void reconnectsAfterALoss() {
        List<String> events = new CopyOnWriteArrayList<>();
        ClientMetrics hook = new ClientMetrics() {
            @Override
            public void onConnected(String endpoint) {
                events.add("connected");
            }

            @Override
            public void onDisconnected(String endpoint, SpillwayException cause) {
                events.add("lost " + cause.reason());
            }
        };
        try (SpillwayClient client = builder().metrics(hook).connect()) {
            broker.cutConnections();
            await().until(() -> events.size() == 3);

            assertThat(events).containsExactly("connected", "lost CONNECTION_LOST", "connected");
            assertThat(client.admin().listTopics()).isEmpty();
        }
    }

    @Test
    void findsOutThatAConnectionIsDead() {
        broker.heartbeatMs = 200;
        try (SpillwayClient client = builder().connect()) {
            broker.answersPings = false;

            await().atMost(Duration.ofSeconds(10)).until(() -> broker.hellos.size() >= 2);
            assertThat(client).isNotNull();
        }
    }

    @Test
    void keepsAnIdleConnectionAlive() {
        broker.heartbeatMs = 500;
        try (SpillwayClient client = builder().connect()) {
            await().atMost(Duration.ofSeconds(10)).until(() -> broker.count(FrameKind.PING) >= 3);

            assertThat(broker.hellos).hasSize(1);
            assertThat(client).isNotNull();
        }
    }

    @Test
    void leavesABrokerThatGoesAwayAndComesBack() {
        broker.on(() -> {
            broker.topics.create("orders", 1);
            return null;
        });
        try (SpillwayClient client = builder().connect();
                Producer producer = client.producer("orders").open()) {
            broker.announce(
                    FrameKind.GO_AWAY,
                    GoAway.newBuilder()
                            .setGraceMs(1_000)
                            .setReconnectAfterMs(100)
                            .build());
            await().until(() -> broker.hellos.size() == 2);

            PublishAck ack = producer.publishAndWait(OutgoingRecord.of(new byte[1]), Duration.ofSeconds(10));

            assertThat(ack.offset()).isZero();
        }
    }

    @Test
    void adminCallsWaitForTheConnection() {
        try (SpillwayClient client = builder().connect()) {
            broker.stop();
            CompletableFuture<TopicDescription> creating =
                    CompletableFuture.supplyAsync(() -> client.admin().createTopic("orders", 3, Map.of()));
            broker.start();

            assertThat(creating.join().partitions()).hasSize(3);
        }
    }

    @Test
    void adminCallsEndAtTheirDeadline() {
        try (SpillwayClient client =
                builder().requestTimeout(Duration.ofMillis(300)).connect()) {
            broker.silentOn = FrameKind.METADATA;
            assertThat(thrownBy(() -> client.admin().listTopics()).is(Code.DEADLINE_EXCEEDED))
                    .isTrue();

            broker.silentOn = FrameKind.TOPIC_ADMIN;
            assertThat(thrownBy(() -> client.admin().deleteTopic("orders")).is(Code.OUTCOME_UNKNOWN))
                    .isTrue();
        }
    }

    @Test
    void adminCallsAreRepeatedWhenTheBrokerIsNotReady() {
        try (SpillwayClient client = builder().connect()) {
            broker.on(() -> broker.requestRefusals.add(FakeBroker.error(Code.NOT_READY, 0)));

            assertThat(client.admin().listTopics()).isEmpty();
        }
    }

    @Test
    void aClosedClientSaysSoAndLeavesNoThread() {
        SpillwayClient client = builder().connect();
        client.close();
        client.close();

        assertThat(thrownBy(() -> client.producer("orders").open()).is(Code.CLIENT_CLOSED))
                .isTrue();
        assertThat(thrownBy(() -> client.admin().listTopics()).is(Code.CLIENT_CLOSED))
                .isTrue();
        await().untilAsserted(() -> assertThat(clientThreads()).isEmpty());
        await().until(() -> broker.connections() == 0);
    }

    @Test
    void whatIsGivenBackBeforeItIsOpenSaysThatTheClientIsClosed() {
        broker.opensTooLate = true;

        endsWithItsClient(
                FrameKind.SUBSCRIBE,
                client -> client.subscribe("orders").group("g").open());
    }

    @Test
    void whatTheBrokerDoesNotOpenEndsWithTheClient() {
        broker.silentOn = FrameKind.SUBSCRIBE;
        endsWithItsClient(
                FrameKind.SUBSCRIBE,
                client -> client.subscribe("orders").group("g").open());

        broker.silentOn = FrameKind.OPEN_PUBLISHER;
        endsWithItsClient(
                FrameKind.OPEN_PUBLISHER, client -> client.producer("orders").open());
    }

    private void endsWithItsClient(FrameKind asked, Consumer<SpillwayClient> opening) {
        broker.on(() -> {
            broker.topics.create("orders", 1);
            return null;
        });
        SpillwayClient client = builder().requestTimeout(Duration.ofMinutes(10)).connect();
        CompletableFuture<Void> opened = CompletableFuture.runAsync(() -> opening.accept(client));
        await().until(() -> broker.received.contains(asked));

        client.close(Duration.ofSeconds(1));

        assertThat(opened)
                .failsWithin(Duration.ofSeconds(10))
                .withThrowableOfType(ExecutionException.class)
                .withMessageContaining(Code.CLIENT_CLOSED.name());
    }
}
