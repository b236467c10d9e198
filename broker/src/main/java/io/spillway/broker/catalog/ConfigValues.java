package io.spillway.broker.catalog;

import io.spillway.broker.base.NearestName;
import io.spillway.broker.base.SpillwayException;
import io.spillway.protocol.Code;
import java.util.List;

/** Reads the values of settings that travel as text. Throws INVALID_ARGUMENT naming the setting, its value and what is allowed. */
final class ConfigValues {
    private final String owner;

    /** @param owner whose settings they are: "topic" or "group" */
    ConfigValues(String owner) {
        this.owner = owner;
    }

    /** A whole number from min to max. */
    long number(String key, String value, long min, long max) {
        return number(key, value, min, max, "");
    }

    /** A whole number from min, or -1. */
    long bound(String key, String value, long min) {
        return value.equals("-1") ? -1 : number(key, value, min, Long.MAX_VALUE, ", or -1 for no bound");
    }

    private long number(String key, String value, long min, long max, String orElse) {
        String allowed = "a whole number from " + min + (max == Long.MAX_VALUE ? "" : " to " + max) + orElse;
        try {
            long number = Long.parseLong(value);
            if (number >= min && number <= max) {
                return number;
            }
        } catch (NumberFormatException e) {
            throw invalid(key, value, allowed);
        }
        throw invalid(key, value, allowed);
    }

    boolean truth(String key, String value) {
        return switch (value) {
            case "true" -> true;
            case "false" -> false;
            default -> throw invalid(key, value, "true or false");
        };
    }

    SpillwayException invalid(String key, String value, String allowed) {
        return new SpillwayException(
                Code.INVALID_ARGUMENT,
                owner + " setting " + key + " has the value \"" + value + "\"",
                "allowed: " + allowed,
                "give an allowed value");
    }

    SpillwayException unknown(String key, List<String> known) {
        return new SpillwayException(
                Code.INVALID_ARGUMENT,
                "unknown " + owner + " setting \"" + key + "\"",
                owner + "s have " + String.join(", ", known),
                NearestName.of(key, known)
                        .map(near -> "did you mean " + near + "?")
                        .orElse("see docs/configuration.md"));
    }
}
