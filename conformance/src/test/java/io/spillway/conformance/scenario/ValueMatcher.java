package io.spillway.conformance.scenario;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.MissingNode;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Compares an answer with what a step expects: of an object the named fields, of a list each item, and for the rest
 * equality, or what a matcher says ({@code $any}, {@code {$range: [1, 5]}}, ...; all are in conformance/README.md).
 */
public final class ValueMatcher {
    private static final String ANY = "$any";

    private ValueMatcher() {}

    static boolean isWord(String text) {
        return text.equals(ANY);
    }

    /** Empty when it matches, else what does not, and where. */
    public static Optional<String> mismatch(JsonNode expected, JsonNode actual) {
        return mismatch("", expected, actual);
    }

    private static Optional<String> mismatch(String at, JsonNode expected, JsonNode actual) {
        if (expected.isObject()) {
            Optional<Map.Entry<String, JsonNode>> first =
                    expected.properties().stream().findFirst();
            if (first.isPresent() && first.get().getKey().startsWith("$")) {
                return matcher(at, expected, first.get().getKey(), first.get().getValue(), actual);
            }
            return fields(at, expected, actual);
        }
        if (expected.isArray()) {
            return items(at, expected, actual);
        }
        if (expected.isTextual() && expected.asText().equals(ANY)) {
            boolean isThere = !actual.isMissingNode()
                    && !actual.isNull()
                    && !(actual.isTextual() && actual.asText().isEmpty());
            return isThere ? Optional.empty() : differs(at, "something", actual);
        }
        if (expected.isNull()) {
            return actual.isNull() || actual.isMissingNode() ? Optional.empty() : differs(at, "nothing", actual);
        }
        return equal(expected, actual) ? Optional.empty() : differs(at, expected, actual);
    }

    private static Optional<String> differs(String at, Object expected, JsonNode actual) {
        return Optional.of((at.isEmpty() ? "the answer" : at) + " is to be " + expected + " and is "
                + (actual.isMissingNode() ? "missing" : actual));
    }

    private static boolean equal(JsonNode expected, JsonNode actual) {
        if (expected.isNumber() && actual.isNumber()) {
            return expected.decimalValue().compareTo(actual.decimalValue()) == 0;
        }
        return expected.equals(actual);
    }

    private static Optional<String> fields(String at, JsonNode expected, JsonNode actual) {
        if (!actual.isObject()) {
            return differs(at, "an object", actual);
        }
        if (expected.isEmpty() && !actual.isEmpty()) {
            return differs(at, "empty", actual);
        }
        for (Map.Entry<String, JsonNode> field : expected.properties()) {
            JsonNode value = actual.has(field.getKey()) ? actual.get(field.getKey()) : MissingNode.getInstance();
            Optional<String> wrong =
                    mismatch(at.isEmpty() ? field.getKey() : at + "." + field.getKey(), field.getValue(), value);
            if (wrong.isPresent()) {
                return wrong;
            }
        }
        return Optional.empty();
    }

    private static Optional<String> items(String at, JsonNode expected, JsonNode actual) {
        if (!actual.isArray() || actual.size() != expected.size()) {
            return differs(at, "a list of " + expected.size(), actual);
        }
        for (int i = 0; i < expected.size(); i++) {
            Optional<String> wrong = mismatch(at + "." + i, expected.get(i), actual.get(i));
            if (wrong.isPresent()) {
                return wrong;
            }
        }
        return Optional.empty();
    }

    private static Optional<String> matcher(
            String at, JsonNode whole, String name, JsonNode argument, JsonNode actual) {
        if (whole.size() != 1) {
            throw new IllegalArgumentException("a matcher stands alone: " + whole);
        }
        boolean matches = switch (name) {
            case "$range" -> isWithin(argument, actual);
            case "$length" -> hasLength(argument, actual);
            case "$contains" -> contains(argument, actual);
            case "$unordered" -> actual.size() == argument.size() && takesAll(argument, actual);
            case "$one_of" -> anyMatches(argument, actual);
            case "$not" -> mismatch(at, argument, actual).isPresent();
            case "$digest_of" -> actual.asText().equals(Digest.of(argument));
            default -> throw new IllegalArgumentException("unknown matcher " + name);
        };
        return matches ? Optional.empty() : differs(at, whole, actual);
    }

    private static boolean isWithin(JsonNode range, JsonNode actual) {
        return actual.isNumber()
                && actual.decimalValue().compareTo(range.get(0).decimalValue()) >= 0
                && actual.decimalValue().compareTo(range.get(1).decimalValue()) <= 0;
    }

    private static boolean hasLength(JsonNode expected, JsonNode actual) {
        int length = actual.isTextual() ? actual.asText().length() : actual.size();
        return expected.isArray()
                ? length >= expected.get(0).asInt() && length <= expected.get(1).asInt()
                : length == expected.asInt();
    }

    private static boolean contains(JsonNode expected, JsonNode actual) {
        if (expected.isTextual() && actual.isTextual()) {
            return actual.asText().contains(expected.asText());
        }
        return actual.isArray() && takesAll(expected, actual);
    }

    /** Whether each expected item has an actual one of its own. The first that fits is taken. */
    private static boolean takesAll(JsonNode expected, JsonNode actual) {
        List<JsonNode> left = new ArrayList<>();
        actual.forEach(left::add);
        for (JsonNode item : expected) {
            Optional<JsonNode> taken = left.stream()
                    .filter(one -> mismatch("", item, one).isEmpty())
                    .findFirst();
            if (taken.isEmpty()) {
                return false;
            }
            left.remove(taken.get());
        }
        return true;
    }

    private static boolean anyMatches(JsonNode alternatives, JsonNode actual) {
        for (JsonNode alternative : alternatives) {
            if (mismatch("", alternative, actual).isEmpty()) {
                return true;
            }
        }
        return false;
    }
}
