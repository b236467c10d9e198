package io.spillway.broker.cli;

import io.spillway.client.ReplayOptions;
import picocli.CommandLine.Option;

/** How a replay runs. */
final class ReplayStartOptions {
    @Option(names = "--reason", required = true, paramLabel = "TEXT", description = "Why; kept in the broker's audit.")
    private String reason = "";

    @Option(names = "--rate", paramLabel = "N", description = "At most so many records a second. Default: 0, no bound.")
    private int rate;

    @Option(names = "--max-errors", paramLabel = "N", description = "Pauses after more errors. Default: 0, no bound.")
    private long maxErrors;

    @Option(
            names = "--max-dead-letters",
            paramLabel = "N",
            description = "Pauses after more dead letters. Default: 0, no bound.")
    private long maxDeadLetters;

    @Option(
            names = "--max-lag",
            paramLabel = "N",
            description = "Pauses when the live group has a larger backlog. Default: 0, no bound.")
    private long maxLag;

    @Option(names = "--wait", description = "Follows the job until it ends or pauses.")
    private boolean waits;

    String reason() {
        return reason;
    }

    boolean waits() {
        return waits;
    }

    ReplayOptions options() {
        return new ReplayOptions(reason, rate, maxErrors, maxDeadLetters, maxLag);
    }
}
