package io.spillway.broker.cli;

import io.spillway.client.OutgoingRecord;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.regex.PatternSyntaxException;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** Options that say what a published record carries besides its value. */
final class RecordOptions {
    private static final String LINE = "{line}";

    @Option(names = "--key", paramLabel = "TEXT", description = "The key of all records.")
    private @Nullable String key;

    @Option(
            names = "--key-regex",
            paramLabel = "REGEX",
            description = "The key is group 1 of the first match; ^ and $ match at lines. No match: no key.")
    private @Nullable String keyRegex;

    @Option(names = "--header", paramLabel = "NAME=VALUE", description = "A header of all records. May be repeated.")
    private Map<String, String> headers = new LinkedHashMap<>();

    @Option(
            names = "--idempotency-key",
            paramLabel = "TEXT",
            description = "Published again with the same key, a record is not stored twice. {line} stands for the "
                    + "number of the record in the input, from 1.")
    private @Nullable String idempotencyKey;

    @Option(
            names = "--idempotency-key-regex",
            paramLabel = "REGEX",
            description = "The idempotency key is group 1 of the first match. No match: none.")
    private @Nullable String idempotencyKeyRegex;

    @Option(names = "--partition", paramLabel = "N", description = "Publishes to this partition only.")
    private @Nullable Integer partition;

    /** Makes records as the options say; throws UsageException for options that make no sense. */
    Template template() {
        if (key != null && keyRegex != null) {
            throw exclusive("--key", "--key-regex");
        }
        if (idempotencyKey != null && idempotencyKeyRegex != null) {
            throw exclusive("--idempotency-key", "--idempotency-key-regex");
        }
        if (partition != null) {
            UsageException.atLeast("--partition", partition, 0);
        }
        return new Template(
                pattern("--key-regex", keyRegex), pattern("--idempotency-key-regex", idempotencyKeyRegex), this);
    }

    private static UsageException exclusive(String one, String other) {
        return new UsageException(
                one + " and " + other + " are both given", "a record has one such key", "give one of them");
    }

    private static @Nullable Pattern pattern(String option, @Nullable String regex) {
        if (regex == null) {
            return null;
        }
        try {
            Pattern pattern = Pattern.compile(regex, Pattern.MULTILINE);
            if (pattern.matcher("").groupCount() < 1) {
                throw new UsageException(
                        option + " '" + regex + "' has no group",
                        "the key is what group 1 matches",
                        "put the part that is the key in parentheses");
            }
            return pattern;
        } catch (PatternSyntaxException e) {
            throw (UsageException) new UsageException(
                            option + " '" + regex + "' is not a regular expression",
                            e.getDescription() + " at position " + e.getIndex(),
                            "correct it")
                    .initCause(e);
        }
    }

    /** Makes records. */
    record Template(@Nullable Pattern keyPattern, @Nullable Pattern idempotencyPattern, RecordOptions options) {

        OutgoingRecord record(byte[] value, long number) {
            OutgoingRecord.Builder record = OutgoingRecord.builder(value);
            String key = key(value);
            if (key != null) {
                record.key(key);
            }
            String idempotencyKey = idempotencyKey(value, number);
            if (idempotencyKey != null) {
                record.idempotencyKey(idempotencyKey);
            }
            if (options.partition != null) {
                record.partition(options.partition);
            }
            options.headers.forEach(record::header);
            return record.build();
        }

        @Nullable
        String key(byte[] value) {
            return keyPattern == null ? options.key : firstGroup(keyPattern, value);
        }

        @Nullable
        String idempotencyKey(byte[] value, long number) {
            if (idempotencyPattern != null) {
                return firstGroup(idempotencyPattern, value);
            }
            String text = options.idempotencyKey;
            return text == null ? null : text.replace(LINE, Long.toString(number));
        }

        private static @Nullable String firstGroup(Pattern pattern, byte[] value) {
            Matcher match = pattern.matcher(new String(value, StandardCharsets.UTF_8));
            return match.find() ? match.group(1) : null;
        }
    }
}
