package io.spillway.broker.cli;

import io.spillway.client.StartPosition;
import java.time.DateTimeException;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/**
 * A position as it is typed: {@code earliest}, {@code latest}, {@code offset:PARTITION:OFFSET} or {@code time:T}.
 *
 * @param partition of an offset, else -1
 * @param value the offset, or ms since 1970, else -1
 */
record Position(Kind kind, int partition, long value) {
    private static final String FORMS =
            "earliest, latest, offset:PARTITION:OFFSET or time:T, where T is ISO-8601 (such as "
                    + "2026-01-31T12:00:00Z) or milliseconds since 1970";
    private static final Pattern OFFSET = Pattern.compile("offset:(\\d{1,9}):(\\d{1,18})");
    private static final Pattern TIME_MS = Pattern.compile("time:(\\d{1,18})");
    private static final String TIME = "time:";

    enum Kind {
        EARLIEST,
        LATEST,
        OFFSET,
        TIME
    }

    /** Reads positions of options. */
    static final class Parser implements ITypeConverter<Position> {
        @Override
        public Position convert(String text) {
            return parse(text);
        }
    }

    static Position parse(String text) {
        if (text.equals("earliest")) {
            return new Position(Kind.EARLIEST, -1, -1);
        }
        if (text.equals("latest")) {
            return new Position(Kind.LATEST, -1, -1);
        }
        Matcher offset = OFFSET.matcher(text);
        if (offset.matches()) {
            return new Position(Kind.OFFSET, Integer.parseInt(offset.group(1)), Long.parseLong(offset.group(2)));
        }
        Matcher ms = TIME_MS.matcher(text);
        if (ms.matches()) {
            return new Position(Kind.TIME, -1, Long.parseLong(ms.group(1)));
        }
        if (text.startsWith(TIME)) {
            return new Position(Kind.TIME, -1, isoMs(text));
        }
        throw notAPosition(text);
    }

    StartPosition start() {
        return switch (kind) {
            case EARLIEST -> StartPosition.earliest();
            case LATEST -> StartPosition.latest();
            case OFFSET -> StartPosition.offset(partition, value);
            case TIME -> StartPosition.time(Instant.ofEpochMilli(value));
        };
    }

    private static long isoMs(String text) {
        try {
            long ms = OffsetDateTime.parse(text.substring(TIME.length()))
                    .toInstant()
                    .toEpochMilli();
            if (ms >= 0) {
                return ms;
            }
        } catch (DateTimeException | ArithmeticException e) {
            throw (TypeConversionException) notAPosition(text).initCause(e);
        }
        throw notAPosition(text);
    }

    private static TypeConversionException notAPosition(String text) {
        return new TypeConversionException("'" + text + "' is none of " + FORMS);
    }
}
