package io.spillway.broker.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.spillway.broker.Broker;
import io.spillway.broker.BrokerConfig;
import io.spillway.broker.config.ConfigLoader;
import io.spillway.broker.config.Settings;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Base64;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** What the console asks of a broker. */
@Timeout(60)
final class ConsoleTest {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final HttpClient HTTP = HttpClient.newHttpClient();

    @TempDir
    static Path directory;

    private static Broker broker;

    @BeforeAll
    static void startBroker() throws Exception {
        ConfigLoader loader = new ConfigLoader()
                .flag("--data-dir", Settings.DATA_DIR, directory.resolve("data").toString())
                .flag("--listen", Settings.LISTEN, "127.0.0.1:0")
                .flag("--http", Settings.HTTP, "127.0.0.1:0");
        broker = Broker.start(BrokerConfig.of(loader.load()));
        done("topic/create?topic=orders&partitions=1&reason=test");
        done("group/create?topic=orders&group=billing&start=earliest&reason=test");
        String publish = "publish orders --header kind=x --endpoint 127.0.0.1:"
                + broker.wireAddress().getPort();
        assertThat(CommandRun.withInput("one\n{\"two\":2}\nthree\n", publish.split(" "))
                        .exitCode())
                .isZero();
    }

    @AfterAll
    static void stopBroker() {
        assertThat(broker.stop()).isTrue();
    }

    @Test
    void theRootLeadsToThePageAndThePageIsItsOwn() throws Exception {
        HttpResponse<String> root = get("/");
        HttpResponse<String> page = get("/console/");

        assertThat(root.statusCode()).isEqualTo(302);
        assertThat(root.headers().firstValue("location")).hasValue("/console/");
        assertThat(page.statusCode()).isEqualTo(200);
        assertThat(page.headers().firstValue("content-type")).hasValue("text/html; charset=utf-8");
        assertThat(page.headers().firstValue("content-security-policy").orElse(""))
                .contains("default-src 'none'", "script-src 'self'", "frame-ancestors 'none'");
        assertThat(get("/console/main.js").headers().firstValue("content-type"))
                .hasValue("text/javascript; charset=utf-8");
    }

    @Test
    void pathsThatLeadElsewhereAreNotServed() throws Exception {
        assertThat(get("/console/..%2f..%2fbroker.properties").statusCode()).isEqualTo(404);
        assertThat(get("/console/%2e%2e/simplelogger.properties").statusCode()).isEqualTo(404);
        assertThat(get("/api/nothing").statusCode()).isEqualTo(404);
    }

    @Test
    void topicsAndGroupsAreShownWithTheirBacklog() throws Exception {
        Awaitility.await().untilAsserted(() -> {
            JsonNode topics = json(get("/api/topics?filter=ORD&sort=backlog"));
            assertThat(topics.at("/found").asInt()).isEqualTo(1);
            assertThat(topics.at("/topics/0/name").asText()).isEqualTo("orders");
            assertThat(topics.at("/topics/0/backlog").asLong()).isEqualTo(3);
            assertThat(json(get("/api/groups?filter=orders/bill"))
                            .at("/groups/0/lag")
                            .asLong())
                    .isEqualTo(3);
        });
        JsonNode topic = json(get("/api/topic?name=orders"));
        assertThat(topic.at("/partitions/0/end").asLong()).isEqualTo(3);
        assertThat(topic.at("/config/durability").asText()).isEqualTo("synced");
        assertThat(get("/api/topic?name=nothing").statusCode()).isEqualTo(404);
        assertThat(get("/api/topics?sort=colour").statusCode()).isEqualTo(400);
        assertThat(get("/api/topics?limit=1000").statusCode()).isEqualTo(400);
    }

    @Test
    void recordsAreReadByOffsetAndByTimeAndOneOfThemWhole() throws Exception {
        JsonNode all = json(get("/api/records?topic=orders&time=0"));
        JsonNode second = json(get("/api/records?topic=orders&offset=1&limit=1"));
        JsonNode last = json(get("/api/records?topic=orders&limit=2"));

        assertThat(all.at("/records")).hasSize(3);
        assertThat(second.at("/records")).hasSize(1);
        assertThat(second.at("/records/0/offset").asLong()).isEqualTo(1);
        assertThat(new String(
                        Base64.getDecoder().decode(second.at("/records/0/value").asText())))
                .isEqualTo("{\"two\":2}");
        assertThat(second.at("/records/0/headers/0/name").asText()).isEqualTo("kind");
        assertThat(last.at("/records/0/offset").asLong()).isEqualTo(1);
        assertThat(json(get("/api/records?topic=orders&offset=3")).at("/records"))
                .isEmpty();
        assertThat(get("/api/records?topic=orders&partition=9").statusCode()).isEqualTo(400);
    }

    @Test
    void theLastHourHasAPointSoonAfterTheStart() {
        Awaitility.await()
                .atMost(Duration.ofSeconds(20))
                .untilAsserted(() -> assertThat(
                                json(get("/api/history")).at("/published").size())
                        .isPositive());
    }

    @Test
    void aChangeNeedsTheHeaderAndAReasonAndIsAudited() throws Exception {
        assertThat(post("/api/group/pause?topic=orders&group=billing&reason=x", false, "")
                        .statusCode())
                .isEqualTo(403);
        assertThat(post("/api/group/pause?topic=orders&group=billing&reason=x", true, "http://elsewhere.example")
                        .statusCode())
                .isEqualTo(403);
        assertThat(post("/api/group/pause?topic=orders&group=billing", true, "").statusCode())
                .isEqualTo(400);
        assertThat(get("/api/group/pause?topic=orders&group=billing&reason=x").statusCode())
                .isEqualTo(405);

        done("group/pause?topic=orders&group=billing&reason=looking%20at%20it");

        JsonNode group = json(get("/api/group?topic=orders&group=billing"));
        assertThat(group.at("/paused").asBoolean()).isTrue();
        assertThat(group.at("/pause_reason").asText()).contains("looking at it");
        String audit = get("/api/records?topic=spillway.audit&value_bytes=4096").body();
        assertThat(JSON.readTree(audit).at("/records"))
                .anySatisfy(record -> assertThat(new String(
                                Base64.getDecoder().decode(record.get("value").asText())))
                        .contains("group.pause", "looking at it", "console @ 127.0.0.1"));
        done("group/resume?topic=orders&group=billing&reason=done");
    }

    @Test
    void togglesAreChangedFromTheConsoleAndFromNoOtherPage() throws Exception {
        String change = "/toggles/set?name=app.checkout&kind=bool&value=on&reason=test";
        String here = "http://127.0.0.1:" + broker.httpAddress().getPort();

        assertThat(post(change, false, here).statusCode()).isEqualTo(403);
        assertThat(post(change, true, "http://elsewhere.example").statusCode()).isEqualTo(403);
        assertThat(post(change, true, here).statusCode()).isEqualTo(200);
    }

    @Test
    void aSeekIsShownBeforeItIsDoneAndAReplayIsPlanned() throws Exception {
        JsonNode shown = done("group/seek?topic=orders&group=billing&to=latest&dry_run=true");
        JsonNode plan = done("replay/plan?topic=orders&reason=test");

        assertThat(shown.at("/applied").asBoolean()).isFalse();
        assertThat(shown.at("/partitions/0/to").asLong()).isEqualTo(3);
        assertThat(plan.at("/plans/0/topic").asText()).isEqualTo("orders");
        Awaitility.await()
                .untilAsserted(() -> assertThat(
                                json(get("/api/replays")).at("/plans/0/records").asLong())
                        .isEqualTo(3));
    }

    private static JsonNode done(String change) throws Exception {
        HttpResponse<String> answer = post("/api/" + change, true, "");
        assertThat(answer.statusCode()).as(answer.body()).isEqualTo(200);
        return JSON.readTree(answer.body());
    }

    private static JsonNode json(HttpResponse<String> answer) throws IOException {
        assertThat(answer.statusCode()).as(answer.body()).isEqualTo(200);
        return JSON.readTree(answer.body());
    }

    private static HttpResponse<String> get(String path) throws IOException, InterruptedException {
        return HTTP.send(request(path).build(), BodyHandlers.ofString());
    }

    private static HttpResponse<String> post(String path, boolean isOfConsole, String origin) throws Exception {
        HttpRequest.Builder request = request(path).POST(HttpRequest.BodyPublishers.noBody());
        if (isOfConsole) {
            request.header("X-Spillway-Request", "console");
        }
        if (!origin.isEmpty()) {
            request.header("Origin", origin);
        }
        return HTTP.send(request.build(), BodyHandlers.ofString());
    }

    private static HttpRequest.Builder request(String path) {
        return HttpRequest.newBuilder(
                        URI.create("http://127.0.0.1:" + broker.httpAddress().getPort() + path))
                .timeout(Duration.ofSeconds(20));
    }
}
