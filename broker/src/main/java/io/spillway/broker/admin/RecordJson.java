package io.spillway.broker.admin;

import com.fasterxml.jackson.core.JsonGenerator;
import io.spillway.broker.session.HouseRecord;
import io.spillway.protocol.v1.PartitionInfo;
import io.spillway.protocol.v1.Start;
import java.io.IOException;
import java.util.Arrays;
import java.util.Base64;
import java.util.HexFormat;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Records in JSON: bytes in base64, values cut where the page does not need them whole. */
final class RecordJson {
    private static final int TRACE_ID_AT = 1;
    private static final int SPAN_ID_AT = 17;
    private static final int FLAGS_AT = 25;
    private static final int HEADER_BYTES = 1_024;

    private RecordJson() {}

    /**
     * What was asked for.
     *
     * @param valueBytes shown of each value at most
     */
    record Page(String topic, PartitionInfo partition, Start start, int valueBytes) {}

    static String records(Page page, List<HouseRecord> records) {
        return JsonObject.of(json -> {
            json.writeStringField("topic", page.topic);
            json.writeNumberField("partition", page.partition.getPartition());
            json.writeNumberField("start", page.partition.getStartOffset());
            json.writeNumberField("end", page.partition.getVisibleOffset());
            json.writeNumberField("stored_end", page.partition.getEndOffset());
            json.writeArrayFieldStart("records");
            for (HouseRecord record : records) {
                record(json, record, page.valueBytes);
            }
            json.writeEndArray();
        });
    }

    private static void record(JsonGenerator json, HouseRecord record, int valueBytes) throws IOException {
        json.writeStartObject();
        json.writeNumberField("offset", record.offset());
        json.writeNumberField("append_ms", record.appendMs());
        json.writeNumberField("timestamp_ms", record.timestampMs());
        bytes(json, "key", record.key(), Integer.MAX_VALUE);
        bytes(json, "value", record.value(), valueBytes);
        json.writeNumberField("value_bytes", record.value().length);
        json.writeArrayFieldStart("headers");
        for (HouseRecord.Header header : record.headers()) {
            json.writeStartObject();
            json.writeStringField("name", header.name());
            bytes(json, "value", header.value(), Math.max(HEADER_BYTES, valueBytes));
            json.writeNumberField("value_bytes", header.value().length);
            json.writeEndObject();
        }
        json.writeEndArray();
        bytes(json, "dedup_id", record.dedupId(), Integer.MAX_VALUE);
        json.writeStringField("traceparent", trace(record.trace()));
        json.writeNumberField("deliver_at_ms", record.deliverAtMs());
        json.writeNumberField("expires_at_ms", record.expiresAtMs());
        json.writeStringField("malformed", record.malformed());
        json.writeEndObject();
    }

    private static void bytes(JsonGenerator json, String name, byte @Nullable [] bytes, int most) throws IOException {
        if (bytes == null) {
            json.writeNullField(name);
        } else {
            byte[] shown = bytes.length > most ? Arrays.copyOf(bytes, most) : bytes;
            json.writeStringField(name, Base64.getEncoder().encodeToString(shown));
        }
    }

    private static String trace(byte @Nullable [] trace) {
        if (trace == null) {
            return "";
        }
        HexFormat hex = HexFormat.of();
        return "00-" + hex.formatHex(trace, TRACE_ID_AT, SPAN_ID_AT) + "-" + hex.formatHex(trace, SPAN_ID_AT, FLAGS_AT)
                + "-" + hex.formatHex(trace, FLAGS_AT, FLAGS_AT + 1);
    }
}
