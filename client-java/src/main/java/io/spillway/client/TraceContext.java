package io.spillway.client;

import java.util.HexFormat;
import java.util.regex.Pattern;

/** Between the 26 bytes of a trace context in a record and its text in W3C Trace Context. */
final class TraceContext {
    private static final Pattern TEXT =
            Pattern.compile("[0-9a-fA-F]{2}-[0-9a-fA-F]{32}-[0-9a-fA-F]{16}-[0-9a-fA-F]{2}");
    private static final int TRACE_ID_AT = 2;
    private static final int SPAN_ID_AT = 34;
    private static final int FLAGS_AT = 50;

    private TraceContext() {}

    static byte[] parse(String text) {
        if (!TEXT.matcher(text).matches()) {
            throw Arguments.invalid(
                    "the trace context \"" + text + "\" is wrong",
                    "it must be 00-<32 hex digits>-<16 hex digits>-<2 hex digits>");
        }
        return HexFormat.of().parseHex(text.replace("-", ""));
    }

    static String format(byte[] trace) {
        String hex = HexFormat.of().formatHex(trace);
        return String.join(
                "-",
                hex.substring(0, TRACE_ID_AT),
                hex.substring(TRACE_ID_AT, SPAN_ID_AT),
                hex.substring(SPAN_ID_AT, FLAGS_AT),
                hex.substring(FLAGS_AT));
    }
}
