package io.spillway.broker.cli;

import io.spillway.client.StartPosition;
import picocli.CommandLine.Option;

/** Options of {@code group seek}. */
final class SeekOptions {
    @Option(
            names = "--to",
            required = true,
            paramLabel = "POSITION",
            description = "earliest, latest, offset:PARTITION:OFFSET, or time:T with T in ISO-8601 or ms since 1970.")
    private Position to = new Position(Position.Kind.EARLIEST, -1, -1);

    @Option(names = "--dry-run", description = "Only shows what would happen.")
    private boolean dryRun;

    @Option(names = "--reason", paramLabel = "TEXT", description = "Why; kept in the broker's audit.")
    private String reason = "spillway group seek";

    StartPosition start() {
        return to.start();
    }

    boolean dryRun() {
        return dryRun;
    }

    String reason() {
        return reason;
    }
}
