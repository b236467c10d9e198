package io.spillway.broker.config;

import io.spillway.broker.base.ListenAddress;
import java.math.BigDecimal;
import java.net.URI;
import java.net.URISyntaxException;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.function.Function;
import java.util.regex.Pattern;

/**
 * What the text of a setting may be and what it means.
 *
 * @param name of the type, one word
 * @param allowed what is allowed, to follow "must be": "a size from 8MiB to 1GiB"
 * @param parser the value; empty when the text is not allowed
 * @param formatter the canonical text of a value
 */
public record ValueType<T>(
        String name, String allowed, Function<String, Optional<T>> parser, Function<T, String> formatter) {

    /** A count without unit from min to max, both included. */
    static ValueType<Integer> count(int min, int max) {
        return new ValueType<>(
                "number",
                "a whole number from " + min + " to " + max,
                text -> Pattern.matches("-?\\d{1,18}", text)
                        ? within(OptionalLong.of(Long.parseLong(text)), min, max)
                                .map(Long::intValue)
                        : Optional.empty(),
                String::valueOf);
    }

    /** Bytes from min to max, both included. */
    static ValueType<Long> size(long min, long max) {
        return new ValueType<>(
                "size",
                "a size from " + Quantity.formatBytes(min) + " to " + Quantity.formatBytes(max)
                        + " (B, KiB, MiB, GiB, TiB; a number alone is bytes)",
                text -> within(Quantity.bytes(text), min, max),
                Quantity::formatBytes);
    }

    /** Milliseconds from min to max, both included. */
    static ValueType<Long> duration(long minMs, long maxMs) {
        return new ValueType<>(
                "duration",
                "a duration from " + Quantity.formatMilliseconds(minMs) + " to " + Quantity.formatMilliseconds(maxMs)
                        + " (ms, s, m, h, d; a number alone is milliseconds)",
                text -> within(Quantity.milliseconds(text), minMs, maxMs),
                Quantity::formatMilliseconds);
    }

    /** A share of a whole, with at most six digits behind the point. */
    static ValueType<Double> fraction() {
        return new ValueType<>(
                "fraction",
                "a number from 0 to 1, such as 0.25",
                text -> Pattern.matches("0(\\.\\d{1,6})?|1(\\.0{1,6})?", text)
                        ? Optional.of(Double.valueOf(text))
                        : Optional.empty(),
                number -> BigDecimal.valueOf(number).stripTrailingZeros().toPlainString());
    }

    static ValueType<Boolean> flag() {
        return new ValueType<>(
                "boolean",
                "true or false",
                text -> switch (text) {
                    case "true" -> Optional.of(true);
                    case "false" -> Optional.of(false);
                    default -> Optional.empty();
                },
                String::valueOf);
    }

    static ValueType<String> choice(String... words) {
        return new ValueType<>(
                "choice",
                "one of " + String.join(", ", words),
                text -> Optional.of(text).filter(List.of(words)::contains),
                Function.identity());
    }

    /** Text that matches the pattern, which {@code allowed} says in words. */
    static ValueType<String> text(String regex, String allowed) {
        Pattern pattern = Pattern.compile(regex);
        return new ValueType<>(
                "text", allowed, text -> Optional.of(text).filter(pattern.asMatchPredicate()), Function.identity());
    }

    /** Where something answers by HTTP; or nothing. */
    static ValueType<String> httpUrl() {
        return new ValueType<>(
                "url",
                "empty, or http://HOST:PORT or https://HOST:PORT, with a path or without",
                text -> Optional.of(text).filter(each -> each.isEmpty() || isHttpUrl(each)),
                Function.identity());
    }

    private static boolean isHttpUrl(String text) {
        try {
            URI url = new URI(text);
            return url.getHost() != null
                    && url.getRawUserInfo() == null
                    && url.getRawQuery() == null
                    && url.getRawFragment() == null
                    && ("http".equals(url.getScheme()) || "https".equals(url.getScheme()));
        } catch (URISyntaxException e) {
            return false;
        }
    }

    static ValueType<Path> path() {
        return new ValueType<>("path", "the path of a directory", ValueType::toPath, Path::toString);
    }

    static ValueType<ListenAddress> address() {
        return new ValueType<>(
                "address",
                "HOST:PORT or [V6]:PORT, a port from 0 to 65535",
                ListenAddress::parse,
                ListenAddress::toString);
    }

    private static Optional<Long> within(OptionalLong number, long min, long max) {
        return number.isPresent() && number.getAsLong() >= min && number.getAsLong() <= max
                ? Optional.of(number.getAsLong())
                : Optional.empty();
    }

    private static Optional<Path> toPath(String text) {
        if (text.isEmpty()) {
            return Optional.empty();
        }
        try {
            return Optional.of(Path.of(text));
        } catch (InvalidPathException e) {
            return Optional.empty();
        }
    }
}
