package io.spillway.protocol;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Consumer;

/** Reads a suite of vectors/ and runs its cases; a key the runner does not know fails it, so that nothing is skipped. */
public final class Vectors {
    private Vectors() {}

    public static void run(String suite, Set<String> caseKeys, Consumer<JsonNode> test) {
        JsonNode root = read(suite);
        int passed = 0;
        for (JsonNode one : root.get("cases")) {
            knows(one, caseKeys);
            test.accept(one);
            passed++;
        }
        System.out.printf("suite %s %d/%d%n", suite, passed, root.get("cases").size());
        assertThat(passed).isPositive();
    }

    /** What a suite says beside its cases. */
    public static JsonNode header(String suite) {
        return read(suite);
    }

    public static void knows(JsonNode node, Set<String> keys) {
        Set<String> unknown = new TreeSet<>();
        node.fieldNames().forEachRemaining(unknown::add);
        unknown.removeAll(keys);
        assertThat(unknown).as("keys of %s this runner does not know", node).isEmpty();
    }

    private static JsonNode read(String suite) {
        Path file = Path.of(System.getProperty("spillway.root", ".."), "vectors", suite + ".json");
        try {
            return new ObjectMapper().readTree(file.toFile());
        } catch (IOException e) {
            throw new AssertionError("cannot read " + file, e);
        }
    }
}
