package io.spillway.conformance.javadriver;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/** The arguments of one request, or of a record in it; remembers which were read, so that none is passed over in silence. */
final class Request {
    private final ObjectNode node;
    private final Set<String> read = new HashSet<>(Set.of("id", "op"));

    Request(JsonNode node) {
        if (!(node instanceof ObjectNode object)) {
            throw new DriverException("not an object: " + node);
        }
        this.node = object;
    }

    String op() {
        return text("op");
    }

    /** Throws when an argument was given that nobody has read. */
    void finish() {
        node.fieldNames().forEachRemaining(name -> {
            if (!read.contains(name)) {
                throw new DriverException("unknown argument " + name);
            }
        });
    }

    Optional<JsonNode> find(String name) {
        read.add(name);
        return Optional.ofNullable(node.get(name)).filter(value -> !value.isNull());
    }

    JsonNode get(String name) {
        return find(name).orElseThrow(() -> new DriverException("the argument " + name + " is missing"));
    }

    String text(String name) {
        return get(name).asText();
    }

    Optional<String> findText(String name) {
        return find(name).map(JsonNode::asText);
    }

    long number(String name) {
        return integer(name, get(name));
    }

    Optional<Long> findNumber(String name) {
        return find(name).map(value -> integer(name, value));
    }

    long number(String name, long otherwise) {
        return findNumber(name).orElse(otherwise);
    }

    private static long integer(String name, JsonNode value) {
        if (!value.isIntegralNumber()) {
            throw new DriverException("the argument " + name + " is not a whole number: " + value);
        }
        return value.asLong();
    }

    /** Why it is done, for the audit. */
    String reason() {
        return findText("reason").orElse("conformance");
    }

    boolean flag(String name) {
        return find(name).map(JsonNode::asBoolean).orElse(false);
    }

    Duration millis(String name) {
        return Duration.ofMillis(number(name));
    }

    Optional<Duration> findMillis(String name) {
        return findNumber(name).map(Duration::ofMillis);
    }

    List<String> texts(String name) {
        List<String> texts = new ArrayList<>();
        get(name).forEach(value -> texts.add(value.asText()));
        return texts;
    }

    List<JsonNode> list(String name) {
        List<JsonNode> nodes = new ArrayList<>();
        get(name).forEach(nodes::add);
        return nodes;
    }

    Map<String, String> textMap(String name) {
        Map<String, String> texts = new LinkedHashMap<>();
        find(name)
                .ifPresent(map -> map.properties()
                        .forEach(e -> texts.put(e.getKey(), e.getValue().asText())));
        return texts;
    }
}
