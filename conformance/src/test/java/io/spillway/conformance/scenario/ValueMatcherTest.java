package io.spillway.conformance.scenario;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import org.junit.jupiter.api.Test;

class ValueMatcherTest {
    private static JsonNode json(String text) {
        try {
            return new ObjectMapper().readTree(text.replace('\'', '"'));
        } catch (JsonProcessingException e) {
            throw new IllegalArgumentException(e);
        }
    }

    private static void assertMatches(String expected, String actual) {
        assertThat(ValueMatcher.mismatch(json(expected), json(actual)))
                .as("%s and %s", expected, actual)
                .isEmpty();
    }

    private static void assertDiffers(String expected, String actual) {
        assertThat(ValueMatcher.mismatch(json(expected), json(actual)))
                .as("%s and %s", expected, actual)
                .isPresent();
    }

    @Test
    void comparesTheNamedFieldsOfAnObject() {
        assertMatches("{'a': 1}", "{'a': 1, 'b': 2}");
        assertMatches("{'a': null}", "{'b': 2}");
        assertMatches("{}", "{}");
        assertDiffers("{'a': 1}", "{'a': 2}");
        assertDiffers("{'a': 1}", "{'a': '1'}");
        assertDiffers("{'a': 1}", "{}");
        assertDiffers("{}", "{'a': 1}");
        assertDiffers("{'a': null}", "{'a': 0}");
        assertDiffers("{'a': 1}", "[1]");
    }

    @Test
    void comparesEveryItemOfAList() {
        assertMatches("[1, {'a': 1}]", "[1, {'a': 1, 'b': 1}]");
        assertDiffers("[1]", "[1, 2]");
        assertDiffers("[1, 2]", "[2, 1]");
        assertMatches("{'$unordered': [1, 2]}", "[2, 1]");
        assertDiffers("{'$unordered': [1, 1]}", "[2, 1]");
        assertMatches("{'$contains': [2]}", "[1, 2]");
        assertDiffers("{'$contains': [3]}", "[1, 2]");
        assertDiffers("{'$contains': [2, 2]}", "[1, 2]");
    }

    @Test
    void knowsMatchers() {
        assertMatches("'$any'", "0");
        assertDiffers("'$any'", "''");
        assertDiffers("'$any'", "null");
        assertMatches("{'$range': [1, 3]}", "3");
        assertDiffers("{'$range': [1, 3]}", "4");
        assertDiffers("{'$range': [1, 3]}", "'2'");
        assertMatches("{'$length': 2}", "'ab'");
        assertMatches("{'$length': [1, 2]}", "[7, 8]");
        assertDiffers("{'$length': 2}", "[1]");
        assertMatches("{'$contains': 'b'}", "'abc'");
        assertMatches("{'$one_of': [1, 2]}", "2");
        assertDiffers("{'$one_of': [1, 2]}", "3");
        assertMatches("{'$not': 1}", "2");
        assertDiffers("{'$not': 1}", "1");
        assertThatThrownBy(() -> ValueMatcher.mismatch(json("{'$like': 1}"), json("1")))
                .hasMessageContaining("$like");
        assertThatThrownBy(() -> ValueMatcher.mismatch(json("{'$not': 1, 'a': 2}"), json("1")))
                .hasMessageContaining("stands alone");
    }

    @Test
    void saysWhere() {
        assertThat(ValueMatcher.mismatch(json("{'a': [{'b': 1}]}"), json("{'a': [{'b': 2}]}")))
                .hasValue("a.0.b is to be 1 and is 2");
    }

    @Test
    void fillsInVariables() {
        Variables variables = new Variables();
        variables.set("n", json("7"));
        variables.set("topic", "orders");

        assertThat(variables.fill(json("['$n', '${topic}.dlq', '$any', {'$range': ['$n', 9]}, 'n', 'costs $5']")))
                .isEqualTo(json("[7, 'orders.dlq', '$any', {'$range': [7, 9]}, 'n', 'costs $5']"));
        assertThatThrownBy(() -> variables.fill(json("'$m'"))).hasMessageContaining("m");
    }
}
