package io.spillway.broker.cli;

import picocli.CommandLine.Option;

/** What of a topic is paused or resumed, and why. */
final class TopicSwitchOptions {
    @Option(names = "--publish", description = "Publishes to it, which are refused with THROTTLED while it is paused.")
    private boolean publish;

    @Option(names = "--dispatch", description = "Deliveries to its groups and readers.")
    private boolean dispatch;

    @Option(
            names = "--reason",
            required = true,
            paramLabel = "TEXT",
            description = "Why; it is shown and written to the audit.")
    private String reason = "";

    boolean publish() {
        return publish;
    }

    boolean dispatch() {
        return dispatch;
    }

    String reason() {
        return reason;
    }

    void require() {
        if (!publish && !dispatch) {
            throw new UsageException(
                    "nothing is named", "neither --publish nor --dispatch is given", "give one, or both");
        }
    }
}
