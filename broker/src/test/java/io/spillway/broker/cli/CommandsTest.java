package io.spillway.broker.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.spillway.broker.Broker;
import io.spillway.broker.BrokerConfig;
import io.spillway.broker.config.ConfigLoader;
import io.spillway.broker.config.Settings;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The commands against a broker. */
class CommandsTest {
    private static final ObjectMapper JSON = new ObjectMapper();

    @TempDir
    Path directory;

    private @Nullable Broker broker;
    private String endpoint = "";

    @BeforeEach
    void startBroker() {
        ConfigLoader loader = new ConfigLoader()
                .flag("--data-dir", Settings.DATA_DIR, directory.resolve("data").toString())
                .flag("--listen", Settings.LISTEN, "127.0.0.1:0")
                .flag("--http", Settings.HTTP, "127.0.0.1:0");
        Broker started = Broker.start(BrokerConfig.of(loader.load()));
        broker = started;
        endpoint = "127.0.0.1:" + started.wireAddress().getPort();
    }

    @AfterEach
    void stopBroker() {
        if (broker != null) {
            assertThat(broker.stop()).isTrue();
            broker = null;
        }
    }

    @Test
    void topicsAreCreatedShownAlteredAndDeleted() throws IOException {
        assertThat(ok("topic create orders --partitions 3 --durability mapped").out())
                .isEqualTo("created topic orders with 3 partitions\n");
        assertThat(ok("topic alter orders --retention-ms 60000").out()).contains("retention.ms=60000");
        assertThat(
                        ok("topic alter orders --retention-ms 7d --config backlog.bytes=64MiB --config backlog.policy=drop_oldest")
                                .out())
                .contains("retention.ms=604800000", "backlog.bytes=67108864", "backlog.policy=drop_oldest");
        assertThat(ok("topic alter orders --retention-ms 1m").out()).contains("retention.ms=60000");

        JsonNode topic = json(ok("topic describe orders --output json"));
        assertThat(topic.at("/config/durability").asText()).isEqualTo("mapped");
        assertThat(topic.at("/config/retention.ms").asText()).isEqualTo("60000");
        assertThat(topic.at("/partitions")).hasSize(3);
        assertThat(topic.at("/epoch").asLong(-1)).isZero();
        assertThat(topic.at("/mirrored_by").isNull()).isTrue();
        assertThat(topic.at("/fenced_by").isNull()).isTrue();
        assertThat(ok("topic describe orders").out()).doesNotContain("epoch:", "fenced:", "copy:");

        assertThat(ok("topic delete orders --yes").out()).isEqualTo("deleted topic orders\n");
        assertThat(json(run("", "topic list --output json").out()))
                .extracting(left -> left.get("topic").asText())
                .as("the audit of the deletion is all that is left")
                .containsExactly("spillway.audit");
    }

    @Test
    void whatIsPublishedIsConsumed() throws IOException {
        ok("topic create orders");

        JsonNode published = json(run("one\n\nthree\n", "publish orders --key-regex ^(.)n --header h=1 --output json"));
        List<JsonNode> consumed =
                json(ok("consume orders --group g --output json").out());

        assertThat(published.at("/acked").asLong()).isEqualTo(3);
        assertThat(published.at("/durability/SYNCED").asLong()).isEqualTo(3);
        assertThat(consumed).extracting(m -> m.at("/value").asText()).containsExactly("one", "", "three");
        assertThat(consumed.get(0).at("/key").asText()).isEqualTo("o");
        assertThat(consumed.get(1).at("/key").isNull()).isTrue();
        assertThat(consumed.get(2).at("/headers/h").asText()).isEqualTo("1");
        assertThat(consumed).extracting(m -> m.at("/offset").asLong()).containsExactly(0L, 1L, 2L);
    }

    @Test
    void whatIsPurgedIsNotConsumedAnyMore() throws IOException {
        ok("topic create orders");
        run("one\n", "publish orders");
        run("two\n", "publish orders");

        JsonNode purged = json(ok("topic purge orders --before offset:0:1 --reason mistake --yes --output json"));

        assertThat(purged.at("/partitions/0/start_offset").asLong()).isEqualTo(1);
        assertThat(ok("consume orders --from earliest").out()).isEqualTo("two\n");
    }

    @Test
    void recordsPublishedAgainWithTheirIdempotencyKeysAreDuplicates() throws IOException {
        ok("topic create orders");
        run("a\nb\n", "publish orders --idempotency-key run-{line}");

        JsonNode again = json(run("a\nb\nc\n", "publish orders --idempotency-key run-{line} --output json"));

        assertThat(again.at("/acked").asLong()).isEqualTo(3);
        assertThat(again.at("/duplicates").asLong()).isEqualTo(2);
        assertThat(ok("consume orders --from earliest").out()).isEqualTo("a\nb\nc\n");
    }

    @Test
    void aRecordThatIsRefusedEndsThePublishingAndIsNamed() {
        ok("topic create orders");

        CommandRun run = run("a\nb\n", "publish orders --partition 7");

        assertThat(run.exitCode()).isEqualTo(ExitCode.FAILURE);
        assertThat(run.err()).contains("the first is record 1", "error: INVALID_ARGUMENT: ");
    }

    @Test
    void aGroupGoesOnWhereItIsAndCanBeRewound() throws IOException {
        ok("topic create orders");
        run("1\n2\n3\n4\n", "publish orders");

        assertThat(ok("consume orders --group g --count 2").out()).isEqualTo("1\n2\n");
        assertThat(ok("consume orders --group g").out()).isEqualTo("3\n4\n");
        assertThat(json(ok("group describe orders g --output json"))
                        .at("/backlog")
                        .asLong())
                .isZero();

        ok("group seek orders g --to offset:0:1 --dry-run");
        assertThat(ok("consume orders --group g").out()).isEmpty();
        JsonNode sought = json(ok("group seek orders g --to offset:0:1 --output json"));
        assertThat(sought.at("/partitions/0/rewound").asLong()).isEqualTo(3);
        assertThat(ok("consume orders --group g").out()).isEqualTo("2\n3\n4\n");

        ok("group delete orders g");
        assertThat(run("", "group describe orders g").exitCode()).isEqualTo(ExitCode.NOT_FOUND);
    }

    @Test
    void whatIsNotThereExitsWithFour() {
        ok("topic create orders");

        for (String command : List.of(
                "topic describe nope",
                "topic delete nope --yes",
                "publish nope",
                "consume nope --from earliest",
                "group list --topic nope",
                "group seek orders nope --to latest")) {
            CommandRun run = run("x\n", command);

            assertThat(run.exitCode()).as(command).isEqualTo(ExitCode.NOT_FOUND);
            assertThat(run.err()).as(command).startsWith("error: ").hasLineCount(1);
        }
    }

    @Test
    void theLoadGeneratorReportsWhatItDid() throws IOException {
        JsonNode produced = json(ok("bench produce --records 500 --warmup 100 --size 64 --producers 2 --output json"));
        JsonNode consumed = json(ok("bench consume --group g --output json"));
        JsonNode latency = json(ok("bench latency --records 100 --warmup 0 --rate 1000 --output json"));

        assertThat(produced.at("/records").asLong()).isEqualTo(500);
        assertThat(produced.at("/latency_us/p99.9").asDouble()).isPositive();
        assertThat(consumed.at("/records").asLong()).isEqualTo(600);
        assertThat(latency.at("/records").asLong()).isEqualTo(100);
        assertThat(latency.at("/missing").asLong()).isZero();
    }

    @Test
    void theLogIsVerifiedAndDumpedOnceTheBrokerIsGone() throws IOException {
        ok("topic create orders");
        run("findme\n", "publish orders");
        stopBroker();

        CommandRun intact = CommandRun.of("log", "verify", data(), "--output", "json");
        List<JsonNode> entries =
                json(CommandRun.of("log", "dump", data(), "--output", "json").out());
        flipByteOf("findme");
        CommandRun damaged = CommandRun.of("log", "verify", data());

        assertThat(intact.exitCode()).isEqualTo(ExitCode.OK);
        assertThat(json(intact).at("/records").asLong()).isEqualTo(1);
        assertThat(entries.get(0).at("/state/0").asText()).isEqualTo("TOPIC_CREATED");
        assertThat(entries).anyMatch(e -> e.at("/records").asLong() == 1);
        assertThat(CommandRun.of("log", "dump", data(), "--limit", "1").out()).hasLineCount(1);
        assertThat(damaged.exitCode()).isEqualTo(ExitCode.CORRUPT);
        assertThat(damaged.out()).contains("CORRUPT_BATCH").contains("damaged: ");
    }

    private String data() {
        return directory.resolve("data").toString();
    }

    private CommandRun ok(String command) {
        CommandRun run = run("", command);
        assertThat(run.exitCode()).as(command + ": " + run.err()).isEqualTo(ExitCode.OK);
        return run;
    }

    private CommandRun run(String input, String command) {
        return CommandRun.withInput(input, (command + " --endpoint " + endpoint).split(" "));
    }

    private static JsonNode json(CommandRun run) throws IOException {
        assertThat(run.err()).isEmpty();
        return JSON.readTree(run.out());
    }

    private static List<JsonNode> json(String lines) throws IOException {
        return JSON.readerFor(JsonNode.class).<JsonNode>readValues(lines).readAll();
    }

    private void flipByteOf(String text) throws IOException {
        try (Stream<Path> files = Files.walk(directory.resolve("data"))) {
            for (Path file : files.filter(Files::isRegularFile).toList()) {
                flipByteOf(text, file);
            }
        }
    }

    private static void flipByteOf(String text, Path file) throws IOException {
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ, StandardOpenOption.WRITE)) {
            int readable = (int) Math.min(channel.size(), 1 << 20);
            ByteBuffer start = ByteBuffer.allocate(readable);
            channel.read(start, 0);
            int at = new String(start.array(), java.nio.charset.StandardCharsets.ISO_8859_1).indexOf(text);
            if (at >= 0) {
                channel.write(ByteBuffer.wrap(new byte[] {'F'}), at);
            }
        }
    }
}
