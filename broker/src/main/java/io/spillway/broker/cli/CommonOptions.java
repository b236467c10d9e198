package io.spillway.broker.cli;

import java.time.Duration;
import picocli.CommandLine.Option;

/** Options of nearly every command that talks to a broker. */
final class CommonOptions extends ConnectOptions {
    @Option(
            names = "--wait",
            paramLabel = "DURATION",
            description = "How long to go on trying when no broker answers. Default: 0s, each endpoint once.")
    private Duration waitForBroker = Duration.ZERO;

    @Override
    Duration waitForBroker() {
        return waitForBroker;
    }
}
