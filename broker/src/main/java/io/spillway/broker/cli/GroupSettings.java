package io.spillway.broker.cli;

import io.spillway.broker.config.Quantity;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.OptionalLong;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** Options for the settings of a group. */
final class GroupSettings {
    private static final String RANGE = "..";

    @Option(
            names = {"--config", "--setting"},
            paramLabel = "KEY=VALUE",
            description =
                    "A setting: max.deliveries, poison.members, retry.backoff.ms, retry.jitter.percent, max.inflight, filter, "
                            + "dlq.breaker.percent, dlq.breaker.min or dlq.breaker.window.ms. Times take units: 500ms, 1m. May be "
                            + "repeated.")
    private Map<String, String> config = new LinkedHashMap<>();

    @Option(
            names = "--max-deliveries",
            paramLabel = "N",
            description = "Failed deliveries after which a message is dead-lettered; 0 = never.")
    private @Nullable Integer maxDeliveries;

    @Option(
            names = "--retry-backoff",
            paramLabel = "TIMES",
            description =
                    "What a failed message waits: one time, a list such as 100ms,1s,5s, or doubling from 100ms..1m.")
    private @Nullable String retryBackoff;

    @Option(names = "--max-inflight", paramLabel = "N", description = "Messages all members hold together; 0 = any.")
    private @Nullable Integer maxInflight;

    @Option(
            names = "--filter",
            paramLabel = "EXPRESSION",
            description = "Which messages the group wants, such as \"kind = 'order'\"; the others count as settled. "
                    + "Empty = all.")
    private @Nullable String filter;

    /** The settings given; an option of its own wins over --config. */
    Map<String, String> toMap() {
        Map<String, String> all = new LinkedHashMap<>(config);
        if (maxDeliveries != null) {
            all.put("max.deliveries", maxDeliveries.toString());
        }
        if (retryBackoff != null) {
            all.put("retry.backoff.ms", retryBackoff);
        }
        if (maxInflight != null) {
            all.put("max.inflight", maxInflight.toString());
        }
        if (filter != null) {
            all.put("filter", filter);
        }
        all.replaceAll((key, value) -> key.endsWith(".ms") ? inMs(value) : value);
        return all;
    }

    /** What is no time goes to the broker as it is, which says what it allows. */
    private static String inMs(String value) {
        int range = value.indexOf(RANGE);
        if (range >= 0) {
            return oneInMs(value.substring(0, range)) + RANGE + oneInMs(value.substring(range + RANGE.length()));
        }
        return Arrays.stream(value.split(",", -1)).map(GroupSettings::oneInMs).collect(Collectors.joining(","));
    }

    private static String oneInMs(String value) {
        OptionalLong ms = Quantity.milliseconds(value);
        return ms.isPresent() ? Long.toString(ms.getAsLong()) : value;
    }
}
