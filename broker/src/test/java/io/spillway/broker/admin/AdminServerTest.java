package io.spillway.broker.admin;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import io.spillway.broker.base.ListenAddress;
import io.spillway.broker.base.SpillwayException;
import io.spillway.broker.diagnose.Cause;
import io.spillway.broker.metrics.Meters;
import io.spillway.broker.metrics.MetricNames;
import io.spillway.protocol.Code;
import java.io.IOException;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(30)
final class AdminServerTest {
    private static final ListenAddress FREE_PORT = new ListenAddress("127.0.0.1", 0);
    private static final Health READY = new Health(true, true, List.of());
    private static final int SOCKET_TIMEOUT_MS = 10_000;

    private final PrometheusMeterRegistry registry = new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);
    private final Meters meters = new Meters(registry);
    private volatile Health health = READY;
    private final AdminServer server = AdminServer.start(FREE_PORT, () -> health, registry, TestOperated.cluster(null));
    private final HttpClient client = HttpClient.newHttpClient();

    @AfterEach
    void stop() {
        server.close();
    }

    @Test
    void saysThatItLives() throws Exception {
        HttpResponse<String> answer = get("/livez");

        assertThat(answer.statusCode()).isEqualTo(200);
        assertThat(answer.body()).isEqualTo("live\n");
    }

    @Test
    void saysThatItIsReady() throws Exception {
        HttpResponse<String> answer = get("/readyz");

        assertThat(answer.statusCode()).isEqualTo(200);
        assertThat(answer.body()).isEqualTo("ready\n");
    }

    @Test
    void saysWhyItIsNotReadyAndLivesAllTheSame() throws Exception {
        health = new Health(
                true,
                false,
                List.of(
                        new Health.Cause("shard-0", Cause.READ_ONLY, "read only", "disk \"full\"", "free space"),
                        new Health.Cause("broker", Cause.DRAINING, "draining", "it was told to stop", "wait")));

        HttpResponse<String> answer = get("/readyz");

        assertThat(answer.statusCode()).isEqualTo(503);
        assertThat(answer.headers().firstValue("content-type")).hasValue("application/x-ndjson");
        String[] lines = answer.body().split("\n");
        assertThat(lines).hasSize(2);
        JsonNode first = new ObjectMapper().readTree(lines[0]);
        assertThat(first.get("component").asText()).isEqualTo("shard-0");
        assertThat(first.get("what").asText()).isEqualTo("read only");
        assertThat(first.get("why").asText()).isEqualTo("disk \"full\"");
        assertThat(first.get("next_step").asText()).isEqualTo("free space");
        assertThat(get("/livez").statusCode()).isEqualTo(200);
    }

    @Test
    void saysWhyItShouldNotLiveOn() throws Exception {
        health = new Health(
                false,
                false,
                List.of(new Health.Cause(
                        "shard-0", Cause.SHARD_FAILED, "the shard has stopped", "a bug", "restart the broker")));

        HttpResponse<String> answer = get("/livez");

        assertThat(answer.statusCode()).isEqualTo(503);
        assertThat(answer.body()).contains("the shard has stopped");
    }

    @Test
    void showsItsMetricsAndThoseOfTheJvm() throws Exception {
        meters.bind(MetricNames.CONNECTIONS, () -> 3);

        HttpResponse<String> answer = get("/metrics");

        assertThat(answer.statusCode()).isEqualTo(200);
        assertThat(answer.headers().firstValue("content-type")).hasValue("text/plain; version=0.0.4; charset=utf-8");
        assertThat(answer.body()).contains("spillway_connections 3.0\n", "jvm_memory_used_bytes{", "process_uptime");
        assertThat(get("/metrics").statusCode()).isEqualTo(200);
    }

    @Test
    void anythingElseIsNotFound() throws Exception {
        HttpResponse<String> answer = get("/metricz?x=1");

        assertThat(answer.statusCode()).isEqualTo(404);
        assertThat(answer.body())
                .isEqualTo(
                        "no /metricz; there are /livez, /readyz, /startupz, /health, /metrics, /diagnose, /cluster, /links, /quotas, /chaos, /users, /acls, /tokens and /toggles\n");
    }

    @Test
    void nothingCanBePosted() throws Exception {
        HttpResponse<String> answer = client.send(
                HttpRequest.newBuilder(uri("/metrics"))
                        .POST(HttpRequest.BodyPublishers.ofString("x"))
                        .build(),
                BodyHandlers.ofString());

        assertThat(answer.statusCode()).isEqualTo(405);
        assertThat(answer.headers().firstValue("allow")).hasValue("GET, HEAD");
    }

    @Test
    void headAnswersWithoutABody() throws IOException {
        String answer = raw("HEAD /livez HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");

        assertThat(answer)
                .startsWith("HTTP/1.1 200 OK\r\n")
                .contains("content-length: 5\r\n")
                .endsWith("\r\n\r\n");
    }

    @Test
    void oneConnectionServesManyRequests() throws IOException {
        String one = "GET /livez HTTP/1.1\r\nHost: x\r\n\r\n";
        String last = "GET /livez HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";

        assertThat(raw(one + one + last)).containsPattern("(?s)(.*live\n){3}");
    }

    @Test
    void aLongRequestLineIsRefused() throws IOException {
        assertThat(raw("GET /" + "x".repeat(10_000) + " HTTP/1.1\r\nHost: x\r\n\r\n"))
                .startsWith("HTTP/1.1 400 ");
    }

    @Test
    void longHeadersAreRefused() throws IOException {
        assertThat(raw("GET /livez HTTP/1.1\r\nHost: x\r\nA: " + "x".repeat(20_000) + "\r\n\r\n"))
                .startsWith("HTTP/1.1 400 ");
    }

    @Test
    void aLargeBodyIsRefusedBeforeItIsSent() throws IOException {
        assertThat(raw("POST /metrics HTTP/1.1\r\nHost: x\r\nContent-Length: 100000000\r\n\r\n"))
                .startsWith("HTTP/1.1 413 ");
    }

    @Test
    void whatIsNotHttpIsRefused() throws IOException {
        assertThat(raw("\u009bSP\n\r\n\r\n")).startsWith("HTTP/1.1 400 ");
    }

    @Test
    void connectionsBeyondTheLimitAreClosedAndOthersServed() throws Exception {
        List<Socket> held = new ArrayList<>();
        try {
            for (int i = 0; i < ConnectionLimit.MAX_CONNECTIONS; i++) {
                held.add(connect());
            }
            try (Socket refused = connect()) {
                assertThat(refused.getInputStream().read()).isEqualTo(-1);
            }
            Socket served = held.get(0);
            served.getOutputStream().write("GET /livez HTTP/1.0\r\n\r\n".getBytes(StandardCharsets.US_ASCII));
            assertThat(new String(served.getInputStream().readAllBytes(), StandardCharsets.US_ASCII))
                    .startsWith("HTTP/1.1 200 OK");
        } finally {
            for (Socket socket : held) {
                socket.close();
            }
        }
    }

    @Test
    void aPortInUseIsRefusedWithTheAddress() {
        ListenAddress address = new ListenAddress("127.0.0.1", server.address().getPort());

        assertThatThrownBy(() -> AdminServer.start(address, () -> health, registry, TestOperated.cluster(null)))
                .isInstanceOfSatisfying(SpillwayException.class, e -> {
                    assertThat(e.code()).isEqualTo(Code.INVALID_ARGUMENT);
                    assertThat(e.what()).isEqualTo("cannot listen at " + address);
                    assertThat(e.why()).contains("Address already in use");
                });
    }

    @Test
    void anUnknownHostIsRefused() {
        ListenAddress unknown = new ListenAddress("no-such-host.invalid", 0);

        assertThatThrownBy(() -> AdminServer.start(unknown, () -> health, registry, TestOperated.cluster(null)))
                .isInstanceOfSatisfying(
                        SpillwayException.class, e -> assertThat(e.why()).isEqualTo("the host is unknown"));
    }

    private HttpResponse<String> get(String path) throws IOException, InterruptedException {
        HttpRequest request = HttpRequest.newBuilder(uri(path))
                .timeout(Duration.ofSeconds(10))
                .build();
        return client.send(request, BodyHandlers.ofString());
    }

    private URI uri(String path) {
        return URI.create("http://127.0.0.1:" + server.address().getPort() + path);
    }

    private Socket connect() throws IOException {
        Socket socket =
                new Socket(server.address().getAddress(), server.address().getPort());
        socket.setSoTimeout(SOCKET_TIMEOUT_MS);
        return socket;
    }

    private String raw(String request) throws IOException {
        try (Socket socket = connect()) {
            socket.getOutputStream().write(request.getBytes(StandardCharsets.ISO_8859_1));
            socket.shutdownOutput();
            return new String(socket.getInputStream().readAllBytes(), StandardCharsets.ISO_8859_1);
        }
    }
}
