package io.spillway.broker.tracing;

import io.netty.buffer.ByteBuf;
import io.spillway.protocol.RecordView;
import java.nio.charset.StandardCharsets;
import java.util.HexFormat;
import org.jspecify.annotations.Nullable;

/** What is kept of a record that its publisher traces: whose child its spans are, and what they say of it. Immutable. */
public final class TracedRecord {
    private static final int TRACE_ID_AT = 1;
    private static final int SPAN_ID_AT = 17;
    private static final int FLAGS_AT = 25;
    private static final int SAMPLED = 1;
    private static final int RECORD_FLAGS_AT = 4;
    /** Headers beyond this are not looked at. */
    private static final int MOST_HEADER_BYTES = 4 << 10;

    private static final String TRACE_STATE = "tracestate";
    private static final String CORRELATION_ID = "spillway-correlation-id";

    private final int index;
    private final byte[] trace;
    private final byte[] headers;
    private final int headerCount;
    private final int valueBytes;

    private TracedRecord(int index, byte[] trace, byte[] headers, int headerCount, int valueBytes) {
        this.index = index;
        this.trace = trace;
        this.headers = headers;
        this.headerCount = headerCount;
        this.valueBytes = valueBytes;
    }

    /** Of the record that the view is at; null when its publisher does not trace it, or does not sample that trace. */
    public static @Nullable TracedRecord of(RecordView view) {
        byte[] trace = view.trace();
        if (trace == null || (trace[FLAGS_AT] & SAMPLED) == 0) {
            return null;
        }
        int headerBytes = view.valueAt() - view.headersAt();
        boolean isKept = headerBytes <= MOST_HEADER_BYTES;
        byte[] headers = new byte[isKept ? headerBytes : 0];
        view.buffer().getBytes(view.headersAt(), headers);
        return new TracedRecord(view.index(), trace, headers, isKept ? view.headerCount() : 0, view.valueBytes());
    }

    /** Whether the publisher of a record samples its trace, of which nobody has looked yet whether its parts fit. */
    public static boolean isSampled(ByteBuf batch, int recordAt, int recordBytes) {
        int at = RecordView.FIXED_BYTES + FLAGS_AT;
        return (batch.getByte(recordAt + RECORD_FLAGS_AT) & RecordView.HAS_TRACE) != 0
                && recordBytes > at
                && (batch.getByte(recordAt + at) & SAMPLED) != 0;
    }

    /** Position in its batch. */
    public int index() {
        return index;
    }

    int valueBytes() {
        return valueBytes;
    }

    /** The half of the trace id that is random in every format. */
    long randomPart() {
        long part = 0;
        for (int i = TRACE_ID_AT + 8; i < SPAN_ID_AT; i++) {
            part = part << 8 | (trace[i] & 0xff);
        }
        return part;
    }

    public String traceId() {
        return HexFormat.of().formatHex(trace, TRACE_ID_AT, SPAN_ID_AT);
    }

    String spanId() {
        return HexFormat.of().formatHex(trace, SPAN_ID_AT, FLAGS_AT);
    }

    /** As a header of W3C Trace Context says it. */
    String traceParent() {
        HexFormat hex = HexFormat.of();
        return "00-" + traceId() + "-" + spanId() + "-" + hex.toHexDigits(trace[FLAGS_AT]);
    }

    @Nullable
    String traceState() {
        return header(TRACE_STATE);
    }

    public @Nullable String correlationId() {
        return header(CORRELATION_ID);
    }

    private @Nullable String header(String wanted) {
        int at = 0;
        for (int i = 0; i < headerCount; i++) {
            int nameBytes = headers[at] & 0xff;
            int valueAt = at + 1 + nameBytes + Short.BYTES;
            int valueLength = (headers[valueAt - 2] & 0xff) << 8 | (headers[valueAt - 1] & 0xff);
            if (wanted.equals(new String(headers, at + 1, nameBytes, StandardCharsets.UTF_8))) {
                return new String(headers, valueAt, valueLength, StandardCharsets.UTF_8);
            }
            at = valueAt + valueLength;
        }
        return null;
    }
}
