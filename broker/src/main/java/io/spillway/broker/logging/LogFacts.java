package io.spillway.broker.logging;

import io.spillway.broker.base.SpillwayException;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.slf4j.helpers.MessageFormatter;

/**
 * What one line of the log says: its text, and the facts in it. Our lines are made of {@code key=value} and
 * {@code key="many words"}; the keys are looked for in the pattern, so that a value may hold anything.
 *
 * @param message the line as people read it
 * @param fields the facts by their keys, in order
 */
record LogFacts(
        String message,
        Map<String, String> fields,
        @Nullable Throwable throwable) {
    private static final String PLACE = "{}";
    /** What {@link SpillwayException#toString} gives. */
    private static final Pattern ERROR = Pattern.compile("([A-Z_]+): (.*); cause: (.*); next: (.*)", Pattern.DOTALL);

    static LogFacts of(String pattern, Object[] arguments, @Nullable Throwable throwable) {
        Scan scan = new Scan(pattern, arguments);
        scan.run();
        Map<String, String> fields = scan.fields;
        SpillwayException known = known(throwable);
        if (known != null) {
            fields.putIfAbsent("code", known.code().name());
            fields.putIfAbsent("what", known.what());
            fields.putIfAbsent("why", known.why());
            fields.putIfAbsent("next", known.nextStep());
        } else if (throwable != null) {
            fields.putIfAbsent("why", throwable.toString());
        }
        String event = fields.get("event");
        if (event != null) {
            fields.putIfAbsent("what", event.replace('_', ' '));
        }
        fields.values().removeIf(String::isEmpty);
        return new LogFacts(message(pattern, arguments, known), fields, throwable);
    }

    /** The place of an exception at the end of a pattern stays open, because slf4j takes the exception for itself. */
    private static String message(String pattern, Object[] arguments, @Nullable SpillwayException known) {
        String text = MessageFormatter.basicArrayFormat(pattern, arguments);
        String end = known == null ? "" : known.toString();
        return text.endsWith(" " + PLACE) ? text.substring(0, text.length() - PLACE.length()) + end : text;
    }

    private static @Nullable SpillwayException known(@Nullable Throwable throwable) {
        Throwable cause = throwable;
        for (int depth = 0; cause != null && depth < 8; depth++) {
            if (cause instanceof SpillwayException known) {
                return known;
            }
            cause = cause.getCause();
        }
        return null;
    }

    /** Goes through a pattern once, and through its arguments with it. */
    private static final class Scan {
        private final String pattern;
        private final Object[] arguments;
        final Map<String, String> fields = new LinkedHashMap<>();
        private int at;
        private int nextArgument;

        Scan(String pattern, Object[] arguments) {
            this.pattern = pattern;
            this.arguments = arguments;
        }

        void run() {
            while (at < pattern.length()) {
                int end = keyEnd();
                if (end > at && end < pattern.length() && pattern.charAt(end) == '=') {
                    String key = pattern.substring(at, end);
                    at = end + 1;
                    fields.putIfAbsent(key, filled(value()));
                } else {
                    known(filled(until(' ')));
                }
                at++;
            }
        }

        /** An error that was logged as its line. */
        private void known(String text) {
            Matcher error = ERROR.matcher(text);
            if (error.matches()) {
                fields.putIfAbsent("code", error.group(1));
                fields.putIfAbsent("what", error.group(2));
                fields.putIfAbsent("why", error.group(3));
                fields.putIfAbsent("next", error.group(4));
            }
        }

        private int keyEnd() {
            int end = at;
            while (end < pattern.length()
                    && (Character.isLowerCase(pattern.charAt(end)) || pattern.charAt(end) == '_')) {
                end++;
            }
            return end;
        }

        private String value() {
            if (at < pattern.length() && pattern.charAt(at) == '"') {
                at++;
                String quoted = until('"');
                at++;
                return quoted;
            }
            return until(' ');
        }

        private String until(char stop) {
            int end = pattern.indexOf(stop, at);
            String part = pattern.substring(at, end < 0 ? pattern.length() : end);
            at += part.length();
            return part;
        }

        private String filled(String part) {
            StringBuilder text = new StringBuilder();
            int from = 0;
            for (int place = part.indexOf(PLACE); place >= 0; place = part.indexOf(PLACE, from)) {
                text.append(part, from, place);
                text.append(nextArgument < arguments.length ? String.valueOf(arguments[nextArgument]) : "");
                nextArgument++;
                from = place + PLACE.length();
            }
            return text.append(part, from, part.length()).toString();
        }
    }
}
