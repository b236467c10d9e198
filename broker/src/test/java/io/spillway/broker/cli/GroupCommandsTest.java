package io.spillway.broker.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.spillway.broker.Broker;
import io.spillway.broker.BrokerConfig;
import io.spillway.broker.config.ConfigLoader;
import io.spillway.broker.config.Settings;
import io.spillway.client.Message;
import io.spillway.client.SpillwayClient;
import io.spillway.client.Subscription;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** What an operator does to groups and sees of dead letters, against a broker. */
@Timeout(60)
class GroupCommandsTest {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final Duration SOON = Duration.ofSeconds(20);

    private Broker broker;
    private String endpoint;

    @BeforeEach
    void startBroker(@TempDir Path directory) {
        ConfigLoader loader = new ConfigLoader()
                .flag("--data-dir", Settings.DATA_DIR, directory.resolve("data").toString())
                .flag("--listen", Settings.LISTEN, "127.0.0.1:0")
                .flag("--http", Settings.HTTP, "127.0.0.1:0");
        broker = Broker.start(BrokerConfig.of(loader.load()));
        endpoint = "127.0.0.1:" + broker.wireAddress().getPort();
        ok("topic create orders");
    }

    @AfterEach
    void stopBroker() {
        assertThat(broker.stop()).isTrue();
    }

    private CommandRun run(String... command) {
        String[] all = new String[command.length + 2];
        System.arraycopy(command, 0, all, 0, command.length);
        all[command.length] = "--endpoint";
        all[command.length + 1] = endpoint;
        return CommandRun.withInput("1\n2\n3\n", all);
    }

    private String ok(String command) {
        CommandRun run = run(command.split(" "));
        assertThat(run.exitCode()).as(command + ": " + run.err()).isEqualTo(ExitCode.OK);
        return run.out();
    }

    private static JsonNode json(String text) throws IOException {
        return JSON.readTree(text);
    }

    @Test
    void aGroupIsCreatedShownAndAltered() throws IOException {
        assertThat(ok("group create orders g --mode key_ordered --retry-backoff 100ms..1m --max-deliveries 5"))
                .startsWith("created group g of topic orders: ")
                .contains("retry.backoff.ms=100..60000", "max.deliveries=5");
        assertThat(ok("group alter orders g --config dlq.breaker.window.ms=2m --filter a='1'"))
                .contains("dlq.breaker.window.ms=120000", "filter=a='1'", "max.deliveries=5");

        JsonNode group = json(ok("group describe orders g --output json"));
        assertThat(group.at("/mode").asText()).isEqualTo("key_ordered");
        assertThat(group.at("/config/retry.backoff.ms").asText()).isEqualTo("100..60000");
        assertThat(group.at("/member_list")).isEmpty();
        assertThat(ok("group describe orders g"))
                .contains("mode:          key_ordered", "state:         running", "no members");
        assertThat(run("group", "create", "orders", "g").exitCode())
                .as("another mode")
                .isEqualTo(ExitCode.FAILURE);
        assertThat(run("group", "alter", "orders", "g").exitCode()).isEqualTo(ExitCode.USAGE);
        CommandRun mistyped = run("group", "alter", "orders", "g", "--config", "max.delivery=1");
        assertThat(mistyped.err()).contains("unknown group setting \"max.delivery\"", "did you mean max.deliveries?");
    }

    @Test
    void aConsumerBeginsItsGroupWithModeFilterAndSettingsAndChangesNoneOfThem() throws IOException {
        ok("publish orders --header kind=order");
        ok("publish orders --header kind=test");
        String begun = "consume orders --group g --mode key-ordered --filter kind='order' --max-inflight 100"
                + " --max-deliveries 0 --retry-backoff 100ms..1m --setting dlq.breaker.window.ms=2m";

        assertThat(ok(begun)).isEqualTo("1\n2\n3\n");
        JsonNode group = json(ok("group describe orders g --output json"));
        ok("group alter orders g --max-inflight 7");
        assertThat(ok(begun)).isEmpty();

        assertThat(group.at("/mode").asText()).isEqualTo("key_ordered");
        assertThat(group.at("/config/filter").asText()).isEqualTo("kind='order'");
        assertThat(group.at("/config/max.inflight").asText()).isEqualTo("100");
        assertThat(group.at("/config/max.deliveries").asText()).isEqualTo("0");
        assertThat(group.at("/config/retry.backoff.ms").asText()).isEqualTo("100..60000");
        assertThat(group.at("/config/dlq.breaker.window.ms").asText()).isEqualTo("120000");
        assertThat(json(ok("group describe orders g --output json"))
                        .at("/config/max.inflight")
                        .asText())
                .isEqualTo("7");
        assertThat(run("consume", "orders", "--group", "g").err())
                .as("shared is another mode")
                .startsWith("error: WRONG_STATE: ");
        assertThat(run("consume", "orders", "--group", "g", "--mode", "KEY_ORDERED", "--filter", "has(kind)")
                        .err())
                .as("another filter")
                .startsWith("error: WRONG_STATE: ");
        assertThat(ok("consume orders --from earliest --mode stream --count 4")).isEqualTo("1\n2\n3\n1\n");
        assertThat(ok("consume orders --group alone --mode exclusive --count 1"))
                .isEqualTo("1\n");
        assertThat(ok("consume --help")).contains("--mode=MODE", "--filter=EXPRESSION", "--setting", "group alter");
    }

    @Test
    void aPausedGroupDeliversNothingAndSaysWhy() throws IOException {
        ok("publish orders");
        ok("group create orders g");

        CommandRun paused = run("group", "pause", "orders", "g", "--reason", "the shop is closed");
        assertThat(paused.out()).isEqualTo("paused group g of topic orders: ADMIN: the shop is closed\n");
        assertThat(ok("consume orders --group g --timeout 200ms")).isEmpty();
        assertThat(ok("group list")).contains("paused");
        assertThat(ok("group describe orders g")).contains(", ADMIN: the shop is closed");
        assertThat(ok("group resume orders g")).isEqualTo("resumed group g of topic orders\n");
        assertThat(ok("consume orders --group g")).isEqualTo("1\n2\n3\n");
        assertThat(json(ok("group describe orders g --output json"))
                        .at("/acked")
                        .asLong())
                .isEqualTo(3);
    }

    @Test
    void aGroupGoesBackToItsSnapshot() throws IOException {
        ok("publish orders");
        ok("consume orders --group g --count 1");

        assertThat(ok("group snapshot orders g before")).contains("as before");
        ok("consume orders --group g");
        assertThat(json(ok("group snapshots orders g --output json"))
                        .at("/partitions/0/cursor")
                        .asLong())
                .isEqualTo(1);
        assertThat(ok("group restore orders g before")).startsWith("restored group g of topic orders to before\n");
        assertThat(ok("consume orders --group g")).isEqualTo("2\n3\n");
        assertThat(ok("group snapshot orders g before --delete")).isEqualTo("deleted snapshot before\n");
        assertThat(run("group", "restore", "orders", "g", "before").exitCode()).isEqualTo(ExitCode.NOT_FOUND);
    }

    @Test
    void deadLettersAreListedWithTheirCauses() throws IOException {
        assertThat(ok("dlq list orders")).isEqualTo("no dead letters\n");
        ok("publish orders");
        try (SpillwayClient client =
                        SpillwayClient.builder().endpoints(endpoint).connect();
                Subscription group =
                        client.subscribe("orders").group("g").maxDeliveries(1).open()) {
            next(group).nack(Duration.ZERO, "cannot parse");
            next(group).terminate("never");
            next(group).ack();
            group.flushAcks(SOON);
        }

        List<JsonNode> all = JSON.readerFor(JsonNode.class)
                .<JsonNode>readValues(ok("dlq list orders --output json"))
                .readAll();

        assertThat(all)
                .extracting(letter -> letter.at("/cause").asText())
                .containsExactly("MAX_DELIVERIES", "TERMINATED");
        assertThat(all.get(0).at("/origin_topic").asText()).isEqualTo("orders");
        assertThat(all.get(0).at("/origin_offset").asLong()).isZero();
        assertThat(all.get(0).at("/attempts").asInt()).isEqualTo(1);
        assertThat(all.get(0).at("/error").asText()).isEqualTo("cannot parse");
        assertThat(ok("dlq list orders.dlq --cause terminated"))
                .contains("orders/0@1")
                .doesNotContain("orders/0@0");
        assertThat(ok("dlq list orders --limit 1")).contains("orders/0@0").doesNotContain("orders/0@1");
        assertThat(ok("dlq list orders --group other")).isEqualTo("no dead letters\n");
        assertThat(run("dlq", "list", "nope").exitCode()).isEqualTo(ExitCode.NOT_FOUND);
    }

    private static Message next(Subscription subscription) {
        return Objects.requireNonNull(subscription.poll(SOON), "no message came in time");
    }
}
