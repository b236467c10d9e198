package io.spillway.broker.cli;

import io.spillway.broker.config.Quantity;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** Options for the settings of a topic. */
final class TopicSettings {
    @Option(
            names = "--config",
            paramLabel = "KEY=VALUE",
            description = "A setting: durability, retention.ms, retention.bytes, retain.until.acked, dedup.window.ms, "
                    + "dedup.window.keys, backlog.bytes, backlog.records, backlog.ms, backlog.policy (reject or "
                    + "drop_oldest), accepts (dlq, replay or dlq,replay) or shed.class (0 to 3). Bytes and ms take "
                    + "units: 64MiB, 7d. May be repeated.")
    private Map<String, String> config = new LinkedHashMap<>();

    @Option(
            names = "--durability",
            paramLabel = "LEVEL",
            description = "mapped (survives the broker's process) or synced (survives a power failure).")
    private @Nullable Level durability;

    @Option(
            names = "--retention-ms",
            paramLabel = "TIME",
            description = "How long records are kept, as 7d; a number alone counts ms; -1 = for ever.")
    private @Nullable String retentionMs;

    @Option(
            names = "--retention-bytes",
            paramLabel = "SIZE",
            description = "How many bytes of records are kept, over all partitions, as 10GiB; -1 = any.")
    private @Nullable String retentionBytes;

    private enum Level {
        MAPPED,
        SYNCED
    }

    /** The settings given; an option of its own wins over --config. */
    Map<String, String> toMap() {
        Map<String, String> all = new LinkedHashMap<>(config);
        if (durability != null) {
            all.put("durability", durability.name().toLowerCase(Locale.ROOT));
        }
        if (retentionMs != null) {
            all.put("retention.ms", retentionMs);
        }
        if (retentionBytes != null) {
            all.put("retention.bytes", retentionBytes);
        }
        all.replaceAll(TopicSettings::inBaseUnit);
        return all;
    }

    /** What is no quantity goes to the broker as it is, which says what it allows. */
    private static String inBaseUnit(String key, String value) {
        OptionalLong number = key.endsWith(".ms")
                ? Quantity.milliseconds(value)
                : key.endsWith(".bytes") ? Quantity.bytes(value) : OptionalLong.empty();
        return number.isPresent() ? Long.toString(number.getAsLong()) : value;
    }
}
