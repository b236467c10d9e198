package io.spillway.broker.admin;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import io.spillway.broker.base.ListenAddress;
import io.spillway.broker.replication.ClusterStatus;
import io.spillway.broker.replication.Origin;
import io.spillway.broker.replication.ReplicationException;
import io.spillway.broker.replication.ReplicationException.Kind;
import java.io.IOException;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

@Timeout(30)
final class ClusterRoutesTest {
    private final FakeCluster cluster = new FakeCluster("n2", "n1");
    private final AdminServer server = start(cluster);
    private final HttpClient client = HttpClient.newHttpClient();

    private static AdminServer start(@Nullable ClusterControl cluster) {
        return AdminServer.start(
                new ListenAddress("127.0.0.1", 0),
                () -> new Health(true, true, List.of()),
                new PrometheusMeterRegistry(PrometheusConfig.DEFAULT),
                TestOperated.cluster(cluster));
    }

    @AfterEach
    void stop() {
        server.close();
    }

    private URI uri(AdminServer of, String path) {
        return URI.create("http://127.0.0.1:" + of.address().getPort() + path);
    }

    private HttpResponse<String> get(String path) throws IOException, InterruptedException {
        return client.send(HttpRequest.newBuilder(uri(server, path)).build(), BodyHandlers.ofString());
    }

    private HttpRequest.Builder post(String path) {
        return HttpRequest.newBuilder(uri(server, path))
                .POST(BodyPublishers.noBody())
                .timeout(Duration.ofSeconds(20));
    }

    private HttpResponse<String> send(HttpRequest.Builder request) throws IOException, InterruptedException {
        return client.send(request.build(), BodyHandlers.ofString());
    }

    private static JsonNode json(HttpResponse<String> answer) throws IOException {
        assertThat(answer.headers().firstValue("content-type")).hasValue("application/json");
        return new ObjectMapper().readTree(answer.body());
    }

    private static void assertError(HttpResponse<String> answer, int status, String code) throws IOException {
        assertThat(answer.statusCode()).isEqualTo(status);
        JsonNode error = json(answer);
        assertThat(error.get("code").asText()).isEqualTo(code);
        for (String field : List.of("what", "why", "next_step")) {
            assertThat(error.get(field).asText()).as(field).isNotBlank();
        }
    }

    @Test
    void aFollowerShowsTheLeadersFiguresOfTheOthersAndItsOwn() throws Exception {
        JsonNode shown = json(get("/cluster"));

        assertThat(shown.get("cluster").asText()).isEqualTo("spillway");
        assertThat(shown.get("cluster_id").asText()).isEqualTo("c1");
        assertThat(shown.get("node").asText()).isEqualTo("n2");
        assertThat(shown.get("leader").asText()).isEqualTo("n1");
        assertThat(shown.get("term").asLong()).isEqualTo(3);
        assertThat(shown.get("commit").asLong()).isEqualTo(100);
        assertThat(shown.get("applied").asLong()).isEqualTo(99);
        assertThat(shown.get("figures_from").asText()).isEqualTo("n1");
        assertThat(shown.get("stopped").isNull()).isTrue();
        JsonNode third = shown.get("nodes").get(2);
        assertThat(third.get("node").asText()).isEqualTo("n3");
        assertThat(third.get("zone").asText()).isEqualTo("c");
        assertThat(third.get("role").asText()).isEqualTo("LISTENER");
        assertThat(third.get("leader").asBoolean()).isFalse();
        assertThat(third.get("cluster_address").asText()).isEqualTo("127.0.0.1:7303");
        assertThat(third.get("client_address").asText()).isEqualTo("127.0.0.1:7403");
        assertThat(third.get("lag_entries").asLong()).isEqualTo(5);
        assertThat(third.get("last_contact_ms").asLong()).isEqualTo(40);
    }

    @Test
    void withoutALeaderThereIsTheOwnViewWithoutFigures() throws Exception {
        cluster.leader = null;

        JsonNode shown = json(get("/cluster"));

        assertThat(shown.get("leader").isNull()).isTrue();
        assertThat(shown.get("figures_from").isNull()).isTrue();
        assertThat(shown.get("nodes").get(2).get("lag_entries").isNull()).isTrue();
    }

    @Test
    void aLeaderThatDoesNotAnswerHoldsNothingUp() throws Exception {
        cluster.leadersAnswer = new CompletableFuture<>();

        JsonNode shown = json(get("/cluster"));

        assertThat(shown.get("leader").asText()).isEqualTo("n1");
        assertThat(shown.get("figures_from").isNull()).isTrue();
    }

    @Test
    void aNodeThatStoppedSaysWhy() throws Exception {
        cluster.stopped = "its log cannot be written";
        cluster.stoppedNext = "free its disk, and restart it";

        JsonNode shown = json(get("/cluster"));

        assertThat(shown.get("stopped").asText()).isEqualTo("its log cannot be written");
        assertThat(shown.get("stopped_next").asText()).isEqualTo("free its disk, and restart it");
        assertThat(shown.get("leader").isNull()).isTrue();
        assertThat(shown.get("nodes").get(0).get("leader").asBoolean()).isFalse();
    }

    @Test
    void aBrokerThatStandsAloneSaysSo() throws Exception {
        try (AdminServer alone = start(null)) {
            HttpResponse<String> answer =
                    client.send(HttpRequest.newBuilder(uri(alone, "/cluster")).build(), BodyHandlers.ofString());

            assertError(answer, 404, "NOT_FOUND");
            assertThat(answer.body()).contains("this broker is in no cluster");
        }
    }

    @ParameterizedTest
    @CsvSource({
        "remove?node=n3, remove n3",
        "transfer?node=n3&timeout_ms=500, transfer n3 500",
        "promote?node=n3, promote n3",
        "add?node=n4&zone=d&cluster_address=h%3A1&client_address=h%3A2, add n4 d h:1 h:2"
    })
    void aChangeIsAnsweredWhenItIsDone(String request, String asked) throws Exception {
        CompletableFuture<HttpResponse<String>> answer =
                client.sendAsync(post("/cluster/" + request).build(), BodyHandlers.ofString());
        assertThat(cluster.asked.take()).isEqualTo(asked);
        assertThat(get("/livez").statusCode()).isEqualTo(200);
        assertThat(answer).isNotDone();

        cluster.change.complete(null);

        assertThat(answer.get().statusCode()).isEqualTo(200);
        assertThat(json(answer.get()).get("done").asText()).isEqualTo(asked.substring(0, asked.indexOf(' ')));
    }

    @Test
    void aChangeSaysWhoAsksForItAndWhy() throws Exception {
        cluster.change = CompletableFuture.completedFuture(null);

        assertThat(send(post("/cluster/remove?node=n3&reason=disk%20died")).statusCode())
                .isEqualTo(200);
        assertThat(send(post("/cluster/promote?node=n3")).statusCode()).isEqualTo(200);

        Origin first = cluster.origins.take();
        assertThat(first.who()).matches("http 127\\.0\\.0\\.1:\\d+ at n2");
        assertThat(first.reason()).isEqualTo("disk died");
        assertThat(cluster.origins.take().reason()).isEmpty();
        assertError(send(post("/cluster/remove?node=n3&reason=" + "x".repeat(1_025))), 400, "INVALID_ARGUMENT");
    }

    @Test
    void whatIsNotDoneInTimeMayStillBeDone() throws Exception {
        HttpResponse<String> answer = send(post("/cluster/remove?node=n3&timeout_ms=1"));

        assertError(answer, 504, "DEADLINE_EXCEEDED");
        assertThat(cluster.change).isNotDone();
    }

    @ParameterizedTest
    @CsvSource({
        "NOT_LEADER, 503, LEADER_ELECTION",
        "CLOSED, 503, NOT_READY",
        "BUSY, 503, OVERLOADED",
        "UNKNOWN, 504, OUTCOME_UNKNOWN",
        "UNREACHABLE, 504, OUTCOME_UNKNOWN",
        "REFUSED, 409, WRONG_STATE"
    })
    void whatTheClusterSaysBecomesAnError(Kind kind, int status, String code) throws Exception {
        cluster.change = CompletableFuture.failedFuture(new ReplicationException(kind, "because"));

        HttpResponse<String> answer = send(post("/cluster/promote?node=n3"));

        assertError(answer, status, code);
        assertThat(json(answer).get("why").asText()).isEqualTo("because");
    }

    @Test
    void aNodeThatIsNotThereIsNotFoundAndTheNearestNameGiven() throws Exception {
        cluster.change = CompletableFuture.failedFuture(new ReplicationException(Kind.REFUSED, "there is no node"));

        HttpResponse<String> answer = send(post("/cluster/remove?node=n33"));

        assertError(answer, 404, "NOT_FOUND");
        assertThat(answer.body()).contains("n1, n2, n3").contains("did you mean n3?");
    }

    @Test
    void theLeaderHandsOverBeforeItIsRemoved() throws Exception {
        cluster.change = CompletableFuture.failedFuture(new ReplicationException(Kind.REFUSED, "the node n1 leads"));

        HttpResponse<String> answer = send(post("/cluster/remove?node=n1"));

        assertError(answer, 409, "WRONG_STATE");
        assertThat(answer.body()).contains("spillway cluster transfer-leader");
    }

    @ParameterizedTest
    @CsvSource({
        "remove",
        "remove?node=",
        "remove?nodes=n3",
        "remove?node=n3&zone=a",
        "remove?node=n3&timeout_ms=0",
        "remove?node=n3&timeout_ms=soon",
        "add?node=n4",
        "add?node=n4&zone=d&cluster_address=here&client_address=h:2"
    })
    void whatCannotBeMeantIsRefusedAndNothingAsked(String request) throws Exception {
        assertError(send(post("/cluster/" + request)), 400, "INVALID_ARGUMENT");
        assertThat(cluster.asked).isEmpty();
    }

    @Test
    void aPageInABrowserChangesNothing() throws Exception {
        String request = "POST /cluster/remove?node=n3 HTTP/1.1\r\nHost: x\r\nOrigin: http://example.org\r\n"
                + "Connection: close\r\n\r\n";
        try (Socket socket =
                new Socket(server.address().getAddress(), server.address().getPort())) {
            socket.setSoTimeout(10_000);
            socket.getOutputStream().write(request.getBytes(StandardCharsets.US_ASCII));

            assertThat(new String(socket.getInputStream().readAllBytes(), StandardCharsets.US_ASCII))
                    .startsWith("HTTP/1.1 403 ")
                    .contains("PERMISSION_DENIED");
        }
        assertThat(cluster.asked).isEmpty();
    }

    @Test
    void aChangeIsPostedAndTheStateIsRead() throws Exception {
        HttpResponse<String> change = get("/cluster/remove?node=n3");
        HttpResponse<String> state = send(post("/cluster"));

        assertThat(change.statusCode()).isEqualTo(405);
        assertThat(change.headers().firstValue("allow")).hasValue("POST");
        assertThat(state.statusCode()).isEqualTo(405);
        assertThat(state.headers().firstValue("allow")).hasValue("GET, HEAD");
        assertError(send(post("/cluster/destroy")), 404, "NOT_FOUND");
        assertThat(cluster.asked).isEmpty();
    }

    @Test
    void requestsOfOneConnectionAreAnsweredInTheirOrder() throws Exception {
        String change = "POST /cluster/remove?node=n3 HTTP/1.1\r\nHost: x\r\n\r\n";
        String live = "GET /livez HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
        try (Socket socket =
                new Socket(server.address().getAddress(), server.address().getPort())) {
            socket.setSoTimeout(10_000);
            socket.getOutputStream().write((change + live).getBytes(StandardCharsets.US_ASCII));
            cluster.asked.take();
            cluster.change.complete(null);

            assertThat(new String(socket.getInputStream().readAllBytes(), StandardCharsets.US_ASCII))
                    .containsSubsequence("\"done\":\"remove\"", "live\n");
        }
    }

    @Test
    void aNodeThatIsAboutToStartSaysSo() throws Exception {
        cluster.isStarted = false;

        assertError(get("/cluster"), 503, "NOT_READY");
        assertError(send(post("/cluster/remove?node=n3")), 503, "NOT_READY");
    }

    @Test
    void theRoleOfAVoterIsSaid() throws Exception {
        assertThat(json(get("/cluster")).get("nodes").get(0).get("role").asText())
                .isEqualTo(ClusterStatus.Role.VOTER.name());
    }
}
