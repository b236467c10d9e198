package io.spillway.conformance.proxy;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.List;

/** The two ways through a proxy. */
enum Direction {
    TO_BROKER,
    TO_CLIENT;

    /** {@code to_broker}, {@code to_client}, or {@code both}, which is what nothing means. */
    static List<Direction> of(JsonNode text) {
        return switch (text.asText("both")) {
            case "to_broker" -> List.of(TO_BROKER);
            case "to_client" -> List.of(TO_CLIENT);
            case "both" -> List.of(values());
            default -> throw new IllegalArgumentException("unknown direction " + text);
        };
    }
}
