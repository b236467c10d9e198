package io.spillway.broker.cli;

import io.spillway.client.ClientBuilder;
import io.spillway.client.SpillwayClient;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Options of commands that talk to a broker, but for how long they look for one. */
class ConnectOptions {
    private static final Duration DEFAULT_TIMEOUT = Duration.ofSeconds(10);

    @Option(
            names = "--endpoint",
            split = ",",
            paramLabel = "HOST:PORT",
            defaultValue = "${env:SPILLWAY_ENDPOINTS:-127.0.0.1:7400}",
            description = "Where brokers listen, in order of preference, separated by commas. "
                    + "Environment: SPILLWAY_ENDPOINTS. Default: 127.0.0.1:7400.")
    private List<String> endpoints = new ArrayList<>();

    @Mixin
    private SecurityOptions security = new SecurityOptions();

    @Option(names = "--output", paramLabel = "FORMAT", description = "text or json. Default: text.")
    private OutputFormat output = OutputFormat.TEXT;

    @Option(
            names = "--timeout",
            paramLabel = "DURATION",
            description = "How long to wait for an answer, such as 500ms or 30s. Default: 10s.")
    private @Nullable Duration timeout;

    /** Connects; throws CONNECT_FAILED and what else {@link ClientBuilder#connect} throws. */
    SpillwayClient connect() {
        return connect("");
    }

    /** The same from a zone; empty: none. */
    SpillwayClient connect(String zone) {
        return security.addTo(SpillwayClient.builder())
                .zone(zone)
                .endpoints(endpoints.toArray(String[]::new))
                .clientName("spillway-cli")
                .requestTimeout(timeout())
                .waitForBroker(waitForBroker())
                .connect();
    }

    /** How long to go on trying when no broker answers. */
    Duration waitForBroker() {
        return Duration.ZERO;
    }

    boolean json() {
        return output == OutputFormat.JSON;
    }

    Duration timeout() {
        return timeout == null ? DEFAULT_TIMEOUT : timeout;
    }

    boolean timeoutGiven() {
        return timeout != null;
    }
}
