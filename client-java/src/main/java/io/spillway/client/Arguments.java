package io.spillway.client;

import io.spillway.protocol.Code;
import java.time.Duration;
import java.util.Locale;

/** Checks of what a caller gives. Each throws {@link SpillwayException} INVALID_ARGUMENT or TOO_LARGE. */
final class Arguments {
    private Arguments() {}

    static Duration between(String name, Duration value, Duration min, Duration max) {
        if (value.compareTo(min) < 0 || value.compareTo(max) > 0) {
            throw invalid(name + " is " + value, "it must be from " + min + " to " + max);
        }
        return value;
    }

    static long between(String name, long value, long min, long max) {
        if (value < min || value > max) {
            throw invalid(name + " is " + value, String.format(Locale.ROOT, "it must be from %,d to %,d", min, max));
        }
        return value;
    }

    static String notEmpty(String name, String value) {
        if (value.isBlank()) {
            throw invalid(name + " is empty", "it must name something");
        }
        return value;
    }

    static SpillwayException invalid(String what, String why) {
        return SpillwayException.of(Code.INVALID_ARGUMENT, what, why, "correct the argument");
    }

    static SpillwayException tooLarge(String what, long size, long limit) {
        return SpillwayException.of(
                Code.TOO_LARGE,
                String.format(Locale.ROOT, "%s has %,d bytes", what, size),
                String.format(Locale.ROOT, "the limit is %,d bytes", limit),
                "make it smaller or split it");
    }
}
