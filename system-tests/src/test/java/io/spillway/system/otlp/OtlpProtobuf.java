package io.spillway.system.otlp;

import com.google.protobuf.ByteString;
import com.google.protobuf.CodedInputStream;
import com.google.protobuf.WireFormat;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Reads ExportTraceServiceRequest of OTLP in protobuf; the numbers are those of its messages' fields. */
final class OtlpProtobuf {
    /** A message by its fields: bytes, or numbers. */
    private static final class Message {
        private final Map<Integer, List<Object>> fields = new HashMap<>();

        static Message of(ByteString bytes) throws IOException {
            Message message = new Message();
            CodedInputStream in = bytes.newCodedInput();
            for (int tag = in.readTag(); tag != 0; tag = in.readTag()) {
                Object value = switch (WireFormat.getTagWireType(tag)) {
                    case WireFormat.WIRETYPE_VARINT -> in.readRawVarint64();
                    case WireFormat.WIRETYPE_FIXED64 -> in.readFixed64();
                    case WireFormat.WIRETYPE_FIXED32 -> (long) in.readFixed32();
                    case WireFormat.WIRETYPE_LENGTH_DELIMITED -> in.readBytes();
                    default -> throw new IOException("tag " + tag);
                };
                message.fields
                        .computeIfAbsent(WireFormat.getTagFieldNumber(tag), field -> new ArrayList<>())
                        .add(value);
            }
            return message;
        }

        List<Message> messages(int field) throws IOException {
            List<Message> all = new ArrayList<>();
            for (Object value : fields.getOrDefault(field, List.of())) {
                all.add(of((ByteString) value));
            }
            return all;
        }

        boolean has(int field) {
            return fields.containsKey(field);
        }

        private Object last(int field, Object otherwise) {
            List<Object> values = fields.getOrDefault(field, List.of(otherwise));
            return values.get(values.size() - 1);
        }

        String text(int field) {
            return ((ByteString) last(field, ByteString.EMPTY)).toStringUtf8();
        }

        String hex(int field) {
            return HexFormat.of().formatHex(((ByteString) last(field, ByteString.EMPTY)).toByteArray());
        }

        long number(int field) {
            return (long) last(field, 0L);
        }
    }

    private OtlpProtobuf() {}

    static List<ReceivedSpan> spans(byte[] request) throws IOException {
        List<ReceivedSpan> spans = new ArrayList<>();
        for (Message resource : Message.of(ByteString.copyFrom(request)).messages(1)) {
            Map<String, String> about = new LinkedHashMap<>();
            for (Message each : resource.messages(1)) {
                about.putAll(attributes(each, 1));
            }
            for (Message scope : resource.messages(2)) {
                for (Message span : scope.messages(2)) {
                    spans.add(span(about, span));
                }
            }
        }
        return spans;
    }

    private static ReceivedSpan span(Map<String, String> resource, Message span) throws IOException {
        List<String> links = new ArrayList<>();
        for (Message link : span.messages(13)) {
            links.add(link.hex(2));
        }
        boolean isError = false;
        for (Message status : span.messages(15)) {
            isError = status.number(3) == 2;
        }
        return new ReceivedSpan(
                resource.getOrDefault("service.name", ""),
                resource.getOrDefault("service.instance.id", ""),
                span.hex(1),
                span.hex(2),
                span.hex(4),
                span.text(3),
                span.text(5),
                (int) span.number(6),
                span.number(7),
                span.number(8),
                attributes(span, 9),
                links,
                isError);
    }

    private static Map<String, String> attributes(Message of, int field) throws IOException {
        Map<String, String> attributes = new LinkedHashMap<>();
        for (Message attribute : of.messages(field)) {
            for (Message value : attribute.messages(2)) {
                String text = value.has(2)
                        ? Boolean.toString(value.number(2) != 0)
                        : value.has(3) ? Long.toString(value.number(3)) : value.text(1);
                attributes.put(attribute.text(1), text);
            }
        }
        return attributes;
    }
}
