package io.spillway.broker.cli;

import io.spillway.broker.Broker;
import io.spillway.broker.BrokerConfig;
import io.spillway.broker.config.ConfigLoader;
import io.spillway.broker.config.Settings;
import io.spillway.client.ClientBuilder;
import io.spillway.client.SpillwayClient;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/** A broker in the test's own process, and the commands that are run against it. */
final class RunningBroker implements AutoCloseable {
    private static final Duration PATIENCE = Duration.ofSeconds(20);
    private static final HttpClient HTTP = HttpClient.newHttpClient();

    final Broker broker;

    /** @param minFreeBytes of the disk, below which nothing is published */
    RunningBroker(Path data, long minFreeBytes) {
        this(data, minFreeBytes, List.of());
    }

    /** @param settings more of them, as key=value */
    RunningBroker(Path data, long minFreeBytes, List<String> settings) {
        ConfigLoader loader = new ConfigLoader()
                .flag("--data-dir", Settings.DATA_DIR, data.toString())
                .flag("--listen", Settings.LISTEN, "127.0.0.1:0")
                .flag("--http", Settings.HTTP, "127.0.0.1:0")
                .flag("--set", Settings.LOG_MIN_FREE_BYTES, Long.toString(minFreeBytes))
                .assignments(settings);
        broker = Broker.start(BrokerConfig.of(loader.load()));
    }

    /** @param settings beyond the addresses, as name=value */
    RunningBroker(Path data, List<String> settings) {
        ConfigLoader loader = new ConfigLoader()
                .flag("--data-dir", Settings.DATA_DIR, data.toString())
                .flag("--listen", Settings.LISTEN, "127.0.0.1:0")
                .flag("--http", Settings.HTTP, "127.0.0.1:0")
                .assignments(settings);
        broker = Broker.start(BrokerConfig.of(loader.load()));
    }

    String http() {
        return "127.0.0.1:" + broker.httpAddress().getPort();
    }

    SpillwayClient client() {
        return clientBuilder().connect();
    }

    ClientBuilder clientBuilder() {
        return SpillwayClient.builder()
                .endpoints("127.0.0.1:" + broker.wireAddress().getPort())
                .clientName("tester")
                .requestTimeout(PATIENCE);
    }

    /** A command that talks to the http address. */
    CommandRun run(String... command) {
        List<String> all = new ArrayList<>(List.of(command));
        all.addAll(List.of("--http", http()));
        return CommandRun.of(all.toArray(String[]::new));
    }

    HttpResponse<String> get(String path) throws IOException, InterruptedException {
        HttpRequest request = HttpRequest.newBuilder(URI.create("http://" + http() + path))
                .timeout(PATIENCE)
                .build();
        return HTTP.send(request, BodyHandlers.ofString());
    }

    @Override
    public void close() {
        broker.close();
    }
}
