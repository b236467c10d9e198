package io.spillway.broker.config;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.OptionalLong;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Numbers with a unit as people write them: 64MiB, 30s. A number alone counts the base unit. */
public final class Quantity {
    private static final Pattern FORM = Pattern.compile("(-?\\d{1,18})\\s*([A-Za-z]*)");
    private static final Map<String, Long> BYTES = new LinkedHashMap<>();
    private static final Map<String, Long> MILLISECONDS = new LinkedHashMap<>();

    static {
        BYTES.put("TiB", 1L << 40);
        BYTES.put("GiB", 1L << 30);
        BYTES.put("MiB", 1L << 20);
        BYTES.put("KiB", 1L << 10);
        BYTES.put("B", 1L);
        MILLISECONDS.put("d", 86_400_000L);
        MILLISECONDS.put("h", 3_600_000L);
        MILLISECONDS.put("m", 60_000L);
        MILLISECONDS.put("s", 1_000L);
        MILLISECONDS.put("ms", 1L);
    }

    private Quantity() {}

    /** Bytes: 64MiB, 512KiB, 1GiB, or a number alone; empty when it is none of these. */
    public static OptionalLong bytes(String text) {
        return parse(text, BYTES);
    }

    /** Milliseconds: 500ms, 30s, 5m, 2h, 7d, or a number alone; empty when it is none of these. */
    public static OptionalLong milliseconds(String text) {
        return parse(text, MILLISECONDS);
    }

    /** The shortest exact text of so many bytes. */
    public static String formatBytes(long bytes) {
        return format(bytes, BYTES);
    }

    /** The shortest exact text of so many milliseconds. */
    public static String formatMilliseconds(long ms) {
        return format(ms, MILLISECONDS);
    }

    private static OptionalLong parse(String text, Map<String, Long> units) {
        Matcher parts = FORM.matcher(text);
        if (!parts.matches()) {
            return OptionalLong.empty();
        }
        long number = Long.parseLong(parts.group(1));
        Long factor = parts.group(2).isEmpty() ? Long.valueOf(1) : units.get(parts.group(2));
        if (factor == null || Math.multiplyHigh(number, factor) != (number * factor) >> 63) {
            return OptionalLong.empty();
        }
        return OptionalLong.of(number * factor);
    }

    private static String format(long number, Map<String, Long> units) {
        if (number != 0) {
            for (Map.Entry<String, Long> unit : units.entrySet()) {
                if (number % unit.getValue() == 0) {
                    return number / unit.getValue() + unit.getKey();
                }
            }
        }
        return Long.toString(number);
    }
}
