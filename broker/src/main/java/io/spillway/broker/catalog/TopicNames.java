package io.spillway.broker.catalog;

import io.spillway.broker.base.SpillwayException;
import io.spillway.protocol.Code;
import java.util.regex.Pattern;

/** What a topic, group or producer may be called. */
public final class TopicNames {
    public static final int MAX_CHARS = 200;
    public static final String DEAD_LETTER_SUFFIX = ".dlq";
    /** Who did what: written by the broker alone, also while the disk is too full for clients. */
    public static final String AUDIT = "spillway.audit";

    /** Topics of canaries begin with it; what follows says whose. */
    public static final String CANARY = "spillway.canary.";

    private static final Pattern VALID = Pattern.compile("[A-Za-z0-9][A-Za-z0-9._-]*");

    private TopicNames() {}

    /** Returns the name, or throws INVALID_ARGUMENT. {@code kind} is "topic", "group" or "producer". */
    public static String check(String kind, String name) {
        if (name.isEmpty() || name.length() > MAX_CHARS || !VALID.matcher(name).matches()) {
            throw new SpillwayException(
                    Code.INVALID_ARGUMENT,
                    "bad " + kind + " name \"" + (name.length() > 60 ? name.substring(0, 60) + "..." : name) + "\"",
                    "a name has 1 to " + MAX_CHARS
                            + " characters of A-Z a-z 0-9 . _ - and begins with a letter or digit",
                    "choose another name");
        }
        return name;
    }

    public static String deadLetterTopic(String topic) {
        return topic + DEAD_LETTER_SUFFIX;
    }
}
