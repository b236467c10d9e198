package io.spillway.broker.link;

import io.spillway.broker.base.SpillwayException;
import io.spillway.broker.catalog.TopicNames;
import io.spillway.protocol.Code;
import java.util.List;

/** Which topics a link copies: names, or beginnings of names with a {@code *} behind; and their dead letters. */
final class Patterns {
    private static final String INTERNAL = "spillway.";

    private Patterns() {}

    static void check(List<String> patterns) {
        if (patterns.isEmpty()) {
            throw new SpillwayException(
                    Code.INVALID_ARGUMENT, "a link without topics", "it would copy nothing", "give --topics");
        }
        for (String pattern : patterns) {
            String name = isPrefix(pattern) ? pattern.substring(0, pattern.length() - 1) : pattern;
            if (!(isPrefix(pattern) && name.isEmpty())) {
                TopicNames.check("topic", name);
            }
        }
    }

    /** Topics of the broker itself are never copied. */
    static boolean match(List<String> patterns, String topic) {
        return !topic.startsWith(INTERNAL)
                && patterns.stream()
                        .anyMatch(pattern -> matches(pattern, topic)
                                || (!isPrefix(pattern)
                                        && TopicNames.deadLetterTopic(pattern).equals(topic)));
    }

    private static boolean matches(String pattern, String topic) {
        return isPrefix(pattern) ? topic.startsWith(pattern.substring(0, pattern.length() - 1)) : topic.equals(pattern);
    }

    private static boolean isPrefix(String pattern) {
        return pattern.endsWith("*");
    }

    /** Whether there could be a topic that both copy. */
    static boolean overlap(List<String> some, List<String> others) {
        return some.stream().anyMatch(one -> others.stream().anyMatch(other -> overlap(one, other)));
    }

    private static boolean overlap(String one, String other) {
        if (isPrefix(one) && isPrefix(other)) {
            String first = one.substring(0, one.length() - 1);
            String second = other.substring(0, other.length() - 1);
            return first.startsWith(second) || second.startsWith(first);
        }
        return isPrefix(one) ? match(List.of(one), other) : match(List.of(other), one);
    }
}
