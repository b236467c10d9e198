package io.spillway.chaos.scenario;

import io.spillway.chaos.cluster.Node;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** What brokers have said in their logs: lines with event=NAME and keys with values. */
final class BrokerEvents {
    /** Changes of a state that somebody has to understand without the code. */
    static final List<String> TRANSITIONS = List.of("pressure", "consumer_health", "consumer_handoff");

    private static final Pattern PAIR = Pattern.compile("(\\w+)=(\"[^\"]*\"|\\[[^\\]]*\\]|\\S+)");

    /** @param node who said it */
    record Event(String node, String name, Map<String, String> values) {
        String get(String key) {
            return values.getOrDefault(key, "");
        }

        /** Whether what, why and next are said; what may be said as from and to. */
        boolean isExplained() {
            boolean saysWhat = !get("what").isBlank()
                    || (!get("from").isBlank() && !get("to").isBlank());
            return saysWhat && !get("why").isBlank() && !get("next").isBlank();
        }

        @Override
        public String toString() {
            return node + " " + name + " " + values;
        }
    }

    private BrokerEvents() {}

    /** Those of this name, node by node in the order in which they were said. */
    static List<Event> of(List<Node> nodes, List<String> names) {
        List<Event> events = new ArrayList<>();
        for (Node node : nodes) {
            for (String kind : List.of("out", "err")) {
                for (String line : lines(node, kind)) {
                    Event event = parse(node.id(), line);
                    if (names.contains(event.name)) {
                        events.add(event);
                    }
                }
            }
        }
        return events;
    }

    private static List<String> lines(Node node, String kind) {
        try {
            return Files.exists(node.log(kind))
                    ? Files.readAllLines(node.log(kind), StandardCharsets.ISO_8859_1)
                    : List.of();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static Event parse(String node, String line) {
        Map<String, String> values = new LinkedHashMap<>();
        Matcher pair = PAIR.matcher(line);
        while (pair.find()) {
            String value = pair.group(2);
            boolean isQuoted = value.length() > 1 && (value.startsWith("\"") || value.startsWith("["));
            values.putIfAbsent(pair.group(1), isQuoted ? value.substring(1, value.length() - 1) : value);
        }
        return new Event(node, values.getOrDefault("event", ""), values);
    }
}
