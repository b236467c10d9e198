package io.spillway.system;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.spillway.client.SpillwayClient;
import java.net.ServerSocket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(180)
class LifecycleTest {
    @TempDir
    Path directory;

    private Path data() {
        return directory.resolve("data");
    }

    @Test
    void endsInOrderUnderLoadAndLosesNothing() throws Exception {
        try (BrokerProcess broker = BrokerProcess.start(data());
                SpillwayClient client = broker.client()) {
            client.admin().createTopic("numbers", 1, Map.of());
            try (Numbers numbers = new Numbers(client, "numbers", 0)) {
                await("acks").atMost(BrokerProcess.PATIENCE).until(() -> numbers.ackCount() > 2_000);

                assertThat(broker.terminate()).as("exit code after SIGTERM").isZero();

                broker.start();
                numbers.finish();
                assertThat(numbers.failures()).isEmpty();
                assertThat(Numbers.readAll(client, "numbers"))
                        .hasSize(numbers.acked().size());
            }
        }
    }

    @Test
    void answersProbesAndMetrics() throws Exception {
        try (BrokerProcess broker = BrokerProcess.start(data())) {
            assertThat(get(broker, "/livez").statusCode()).isEqualTo(200);
            assertThat(get(broker, "/readyz").statusCode()).isEqualTo(200);
            HttpResponse<String> metrics = get(broker, "/metrics");
            assertThat(metrics.statusCode()).isEqualTo(200);
            assertThat(metrics.body()).contains("spillway_connections", "spillway_published_records_total");
            assertThat(get(broker, "/nowhere").statusCode()).isEqualTo(404);
        }
    }

    private static HttpResponse<String> get(BrokerProcess broker, String path) throws Exception {
        return HttpClient.newHttpClient()
                .send(
                        HttpRequest.newBuilder(URI.create("http://" + broker.http() + path))
                                .build(),
                        HttpResponse.BodyHandlers.ofString());
    }

    @Test
    void refusesADataDirectoryThatIsInUse() throws Exception {
        try (BrokerProcess broker = BrokerProcess.start(data())) {
            Cli second = serve("--data-dir", data().toString());

            assertThat(second).matches(run -> run.isOneLineError("INVALID_ARGUMENT"));
            assertThat(second.err()).contains("another broker uses it");
            assertThat(get(broker, "/readyz").statusCode()).isEqualTo(200);
        }
    }

    @Test
    void refusesADataDirectoryThatIsAFile() throws Exception {
        Path file = Files.createFile(directory.resolve("file"));

        Cli run = serve("--data-dir", file.toString());

        assertThat(run).matches(one -> one.isOneLineError("INVALID_ARGUMENT"));
        assertThat(run.err()).contains("file");
    }

    @Test
    void refusesAPortInUse() throws Exception {
        try (ServerSocket taken = new ServerSocket(0)) {
            Cli run = Cli.run(
                    "serve",
                    "--data-dir",
                    data().toString(),
                    "--http",
                    "127.0.0.1:0",
                    "--listen",
                    "127.0.0.1:" + taken.getLocalPort());

            assertThat(run).matches(one -> one.isOneLineError("INVALID_ARGUMENT"));
            assertThat(run.err()).contains(Integer.toString(taken.getLocalPort()));
        }
    }

    @Test
    void refusesABrokenConfiguration() throws Exception {
        Path file = Files.writeString(directory.resolve("spillway.yaml"), "log:\n  segment-byte: 4MiB\n");

        Cli run = serve("--data-dir", data().toString(), "--config", file.toString());

        assertThat(run).matches(one -> one.isOneLineError("INVALID_ARGUMENT"));
        assertThat(run.err()).contains("log.segment-byte").contains("log.segment-bytes");
    }

    private static Cli serve(String... more) throws Exception {
        String[] arguments = new String[more.length + 5];
        arguments[0] = "serve";
        System.arraycopy(new String[] {"--listen", "127.0.0.1:0", "--http", "127.0.0.1:0"}, 0, arguments, 1, 4);
        System.arraycopy(more, 0, arguments, 5, more.length);
        return Cli.run(arguments);
    }

    @Test
    void hasNoAnalytics() {
        assertThat(System.getProperty("java.class.path")).doesNotContain("chronicle-analytics");
        assertThat(System.getProperty("chronicle.analytics.disable")).isEqualTo("true");
        assertThat(Path.of(System.getProperty("user.home"), ".chronicle.analytics.client.id"))
                .doesNotExist();
    }
}
