package io.spillway.broker.filter;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import com.fasterxml.jackson.databind.JsonNode;
import io.spillway.broker.base.SpillwayException;
import io.spillway.protocol.Code;
import io.spillway.protocol.Vectors;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

/** The suite vectors/filter.json. */
class FilterVectorsTest {
    @Test
    void everyFilterHasTheRecordsItsVectorSays() {
        Map<String, FilterRecord> records = records();

        Vectors.run("filter", Set.of("filter", "matches", "error_at", "expected"), one -> {
            String text = one.get("filter").asText();
            if (one.has("error_at")) {
                refuses(text, one.get("error_at").asInt(), one.get("expected").asText());
            } else {
                Filter filter = Filter.parse(text);
                List<String> matching = new ArrayList<>();
                one.get("matches").forEach(name -> matching.add(name.asText()));
                records.forEach((name, record) -> assertThat(record.matches(filter))
                        .as("%s of %s", text, name)
                        .isEqualTo(matching.contains(name)));
                assertThat(records.keySet()).containsAll(matching);
            }
        });
    }

    private static void refuses(String text, int at, String expected) {
        SpillwayException refusal = catchThrowableOfType(SpillwayException.class, () -> Filter.parse(text));

        assertThat(refusal).as(text).isNotNull();
        assertThat(refusal.code()).isEqualTo(Code.INVALID_ARGUMENT);
        assertThat(refusal.what()).as(text).isEqualTo("the filter cannot be read at character " + at);
        assertThat(refusal.why()).as(text).startsWith("expected ").contains(expected);
    }

    private static Map<String, FilterRecord> records() {
        Map<String, FilterRecord> records = new TreeMap<>();
        Vectors.header("filter").get("records").properties().forEach(entry -> {
            JsonNode record = entry.getValue();
            Vectors.knows(record, Set.of("headers", "key", "partition", "offset", "time_ms"));
            List<Map.Entry<String, String>> headers = new ArrayList<>();
            record.get("headers")
                    .forEach(header -> headers.add(
                            Map.entry(header.get(0).asText(), header.get(1).asText())));
            records.put(
                    entry.getKey(),
                    new FilterRecord(
                            headers,
                            record.get("key").isNull()
                                    ? null
                                    : record.get("key").asText(),
                            record.get("partition").asInt(),
                            record.get("offset").asLong(),
                            record.get("time_ms").asLong()));
        });
        return records;
    }
}
