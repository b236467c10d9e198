package io.spillway.broker.config;

import io.spillway.broker.base.NearestName;
import io.spillway.broker.base.SpillwayException;
import io.spillway.protocol.Code;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Function;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * Puts the settings together: default, then file, then environment, then flag; the last one wins. Nothing that is wrong
 * is passed over, not even a value that a later source replaces. Not thread-safe.
 */
public final class ConfigLoader {
    /** Variables of ours that are no settings: for the clients and for the launcher. */
    private static final Set<String> OTHER_VARIABLES = Set.of("SPILLWAY_ENDPOINTS", "SPILLWAY_JAVA_OPTS");
    /** Of those that the commands take which connect. */
    private static final String CLIENT_PREFIX = Setting.ENVIRONMENT_PREFIX + "CLIENT_";

    /** Kubernetes describes every service called spillway-something to every container in variables like these. */
    private static final Pattern SERVICE_LINK = Pattern.compile("SPILLWAY_(?:.+_)?(?:SERVICE_(?:HOST|PORT(?:_.+)?)"
            + "|PORT(?:_\\d+_(?:TCP|UDP|SCTP)(?:_(?:PROTO|PORT|ADDR))?)?)");

    private final EffectiveSettings settings = new EffectiveSettings();

    /** Settings of a YAML file. */
    public ConfigLoader file(Path file) {
        Map<String, Origin> seen = new HashMap<>();
        for (ConfigFile.Line line : ConfigFile.read(file)) {
            Origin earlier = seen.put(line.key(), line.origin());
            if (earlier != null) {
                throw new SpillwayException(
                        Code.INVALID_ARGUMENT,
                        "setting " + line.key() + " stands twice in the configuration file",
                        "it is at " + earlier.where() + " and at "
                                + line.origin().where(),
                        "remove one of them");
            }
            put(line.key(), line.text(), line.origin());
        }
        return this;
    }

    /** Settings of the environment: variables that begin with SPILLWAY_. */
    public ConfigLoader environment(Map<String, String> variables) {
        Map<String, Setting<?>> byName =
                Settings.ALL.stream().collect(Collectors.toMap(Setting::environmentName, Function.identity()));
        new TreeMap<>(variables).forEach((name, text) -> {
            Setting<?> setting = byName.get(name);
            if (setting != null) {
                settings.put(setting, text, new Origin(Origin.Kind.ENVIRONMENT, name));
            } else if (name.startsWith(Setting.ENVIRONMENT_PREFIX)
                    && !OTHER_VARIABLES.contains(name)
                    && !name.startsWith(CLIENT_PREFIX)
                    && !SERVICE_LINK.matcher(name).matches()) {
                throw unknown("environment variable " + name, NearestName.of(name, byName.keySet()));
            }
        });
        return this;
    }

    /** A setting given by a flag of its own. */
    public <T> ConfigLoader flag(String flag, Setting<T> setting, String text) {
        settings.put(setting, text, new Origin(Origin.Kind.FLAG, flag));
        return this;
    }

    /** Settings given as {@code key=value}. */
    public ConfigLoader assignments(List<String> assignments) {
        for (String assignment : assignments) {
            int equals = assignment.indexOf('=');
            if (equals <= 0) {
                throw new SpillwayException(
                        Code.INVALID_ARGUMENT,
                        "'" + assignment + "' sets nothing",
                        "--set takes KEY=VALUE",
                        "write for instance --set log.segment-bytes=64MiB");
            }
            put(
                    assignment.substring(0, equals),
                    assignment.substring(equals + 1),
                    new Origin(Origin.Kind.FLAG, "--set"));
        }
        return this;
    }

    public EffectiveSettings load() {
        return settings;
    }

    private void put(String key, String text, Origin origin) {
        Setting<?> setting = Settings.find(key).orElseThrow(() -> {
            List<String> keys = Settings.ALL.stream().map(Setting::key).toList();
            return unknown("setting " + key + " (from " + origin + ")", NearestName.of(key, keys));
        });
        settings.put(setting, text, origin);
    }

    private static SpillwayException unknown(String what, Optional<String> nearest) {
        return new SpillwayException(
                Code.INVALID_ARGUMENT,
                "unknown " + what,
                nearest.map(name -> "there is none of that name; the nearest is " + name)
                        .orElse("there is none of that name"),
                "correct or remove it; 'spillway config show' prints all settings");
    }
}
