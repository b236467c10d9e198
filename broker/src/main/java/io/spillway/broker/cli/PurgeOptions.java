package io.spillway.broker.cli;

import io.spillway.client.StartPosition;
import picocli.CommandLine.Option;

/** Options that say what to remove from a topic. */
final class PurgeOptions {
    @Option(
            names = "--before",
            required = true,
            converter = Position.Parser.class,
            paramLabel = "POSITION",
            description =
                    "What lies before goes: latest, offset:PARTITION:OFFSET (in that partition alone), or time:T with "
                            + "T in ISO-8601 or ms since 1970.")
    private Position before = new Position(Position.Kind.EARLIEST, -1, -1);

    @Option(names = "--reason", paramLabel = "TEXT", description = "Why; kept in the broker's audit.")
    private String reason = "spillway topic purge";

    @Option(names = "--yes", description = "Does not ask.")
    private boolean yes;

    StartPosition before() {
        return before.start();
    }

    String reason() {
        return reason;
    }

    boolean yes() {
        return yes;
    }
}
