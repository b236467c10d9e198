package io.spillway.broker.config;

import java.util.Locale;

/**
 * One setting of the broker.
 *
 * @param key dotted, lower case, words joined by hyphens
 * @param type what it may be
 * @param defaultText its value when nobody says anything
 * @param doc what it does, one sentence or two
 */
public record Setting<T>(String key, ValueType<T> type, String defaultText, String doc) {
    public static final String ENVIRONMENT_PREFIX = "SPILLWAY_";

    /** The environment variable that sets it. */
    public String environmentName() {
        return ENVIRONMENT_PREFIX + key.replace('.', '_').replace('-', '_').toUpperCase(Locale.ROOT);
    }
}
