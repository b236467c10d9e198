package io.spillway.broker.cli;

import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Which snapshot of which group, and why. */
final class GroupSnapshotOptions {
    @Parameters(index = "0", paramLabel = "TOPIC", description = "Its topic.")
    private String topic = "";

    @Parameters(index = "1", paramLabel = "GROUP", description = "Its name.")
    private String group = "";

    @Parameters(index = "2", paramLabel = "NAME", description = "The snapshot's name.")
    private String name = "";

    @Option(names = "--reason", paramLabel = "TEXT", description = "Why; kept with it, and in the broker's audit.")
    private String reason = "spillway group";

    String topic() {
        return topic;
    }

    String group() {
        return group;
    }

    String name() {
        return name;
    }

    String reason() {
        return reason;
    }
}
