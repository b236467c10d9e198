package io.spillway.broker.cli;

import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** Why something is done to a replay. */
final class ReplayReasonOption {
    @Option(names = "--reason", paramLabel = "TEXT", description = "Why; kept in the broker's audit.")
    private @Nullable String reason;

    String or(String otherwise) {
        return reason == null ? otherwise : reason;
    }
}
