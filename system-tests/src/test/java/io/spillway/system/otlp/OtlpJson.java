package io.spillway.system.otlp;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Reads ExportTraceServiceRequest of OTLP in JSON. */
final class OtlpJson {
    private static final ObjectMapper JSON = new ObjectMapper();

    private OtlpJson() {}

    static List<ReceivedSpan> spans(byte[] request) throws IOException {
        List<ReceivedSpan> spans = new ArrayList<>();
        for (JsonNode resource : JSON.readTree(request).path("resourceSpans")) {
            Map<String, String> about = attributes(resource.path("resource"));
            for (JsonNode scope : resource.path("scopeSpans")) {
                scope.path("spans").forEach(span -> spans.add(span(about, span)));
            }
        }
        return spans;
    }

    private static ReceivedSpan span(Map<String, String> resource, JsonNode span) {
        List<String> links = new ArrayList<>();
        span.path("links").forEach(link -> links.add(link.path("spanId").asText()));
        return new ReceivedSpan(
                resource.getOrDefault("service.name", ""),
                resource.getOrDefault("service.instance.id", ""),
                span.path("traceId").asText(),
                span.path("spanId").asText(),
                span.path("parentSpanId").asText(),
                span.path("traceState").asText(),
                span.path("name").asText(),
                span.path("kind").asInt(),
                span.path("startTimeUnixNano").asLong(),
                span.path("endTimeUnixNano").asLong(),
                attributes(span),
                links,
                span.path("status").path("code").asInt() == 2);
    }

    private static Map<String, String> attributes(JsonNode of) {
        Map<String, String> attributes = new LinkedHashMap<>();
        of.path("attributes")
                .forEach(attribute -> attribute
                        .path("value")
                        .forEach(value -> attributes.put(attribute.path("key").asText(), value.asText())));
        return attributes;
    }
}
