package io.spillway.broker.cli;

import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** Options for the settings of a topic. */
final class TopicSettings {
    @Option(
            names = "--config",
            paramLabel = "KEY=VALUE",
            description = "A setting: durability, retention.ms, retention.bytes, dedup.window.ms or dedup.window.keys. "
                    + "May be repeated.")
    private Map<String, String> config = new LinkedHashMap<>();

    @Option(
            names = "--durability",
            paramLabel = "LEVEL",
            description = "mapped (survives the broker's process) or synced (survives a power failure).")
    private @Nullable Level durability;

    @Option(names = "--retention-ms", paramLabel = "MS", description = "How long records are kept; -1 = for ever.")
    private @Nullable Long retentionMs;

    @Option(
            names = "--retention-bytes",
            paramLabel = "BYTES",
            description = "How many bytes of records are kept, over all partitions; -1 = any.")
    private @Nullable Long retentionBytes;

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
            all.put("retention.ms", retentionMs.toString());
        }
        if (retentionBytes != null) {
            all.put("retention.bytes", retentionBytes.toString());
        }
        return all;
    }
}
