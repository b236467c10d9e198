package io.spillway.system.otlp;

import java.util.List;
import java.util.Map;

/**
 * A span as it came.
 *
 * @param service the name of the service that sent it
 * @param parentId empty when it has none
 * @param kind 1 internal, 2 server, 3 client, 4 producer, 5 consumer
 * @param attributes as text
 * @param links ids of spans, of the same trace or another
 * @param isError whether its status is one
 */
public record ReceivedSpan(
        String service,
        String instance,
        String traceId,
        String spanId,
        String parentId,
        String traceState,
        String name,
        int kind,
        long startNs,
        long endNs,
        Map<String, String> attributes,
        List<String> links,
        boolean isError) {
    public String attribute(String key) {
        return attributes.getOrDefault(key, "");
    }
}
