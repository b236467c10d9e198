package io.spillway.conformance.scenario;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.databind.node.TextNode;
import java.util.HashMap;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Values by name: {@code $name} alone stands for the value as it is, {@code ${name}} inside a text for its text. */
public final class Variables {
    private static final Pattern ALONE = Pattern.compile("\\$([a-z][a-z0-9_]*)");
    private static final Pattern INSIDE = Pattern.compile("\\$\\{([a-z][a-z0-9_]*)\\}");

    private final Map<String, JsonNode> values = new HashMap<>();

    public void set(String name, JsonNode value) {
        values.put(name, value);
    }

    public void set(String name, String value) {
        values.put(name, TextNode.valueOf(value));
    }

    private JsonNode get(String name) {
        JsonNode value = values.get(name);
        if (value == null) {
            throw new IllegalArgumentException("no variable is named " + name);
        }
        return value;
    }

    /** The same with all variables filled in. Matchers, which begin with a dollar too, stay. */
    public JsonNode fill(JsonNode node) {
        if (node.isTextual() && !ValueMatcher.isWord(node.asText())) {
            return fill(node.asText());
        }
        if (node.isArray()) {
            ArrayNode filled = JsonNodeFactory.instance.arrayNode();
            node.forEach(item -> filled.add(fill(item)));
            return filled;
        }
        if (node.isObject()) {
            ObjectNode filled = JsonNodeFactory.instance.objectNode();
            node.properties().forEach(e -> filled.set(e.getKey(), fill(e.getValue())));
            return filled;
        }
        return node;
    }

    private JsonNode fill(String text) {
        Matcher alone = ALONE.matcher(text);
        if (alone.matches()) {
            return get(alone.group(1));
        }
        Matcher inside = INSIDE.matcher(text);
        return TextNode.valueOf(inside.replaceAll(
                found -> Matcher.quoteReplacement(get(found.group(1)).asText())));
    }
}
