package io.spillway.broker.cli;

import com.fasterxml.jackson.core.JsonGenerator;
import java.io.IOException;
import java.util.Locale;
import org.HdrHistogram.Histogram;

/**
 * What a benchmark measured.
 *
 * @param name of the benchmark
 * @param bytes of the records' values
 * @param missing records that were asked for and not done
 * @param latencyNs publish to consume, or what else the benchmark is about
 * @param ackNs publish to ack, beside it
 */
record BenchReport(
        String name,
        String topic,
        long records,
        long bytes,
        long missing,
        long elapsedNs,
        Histogram latencyNs,
        Histogram ackNs) {
    /** For what a benchmark does not measure; nothing is recorded in it. */
    static final Histogram UNMEASURED = new Histogram(1);

    private static final double[] PERCENTILES = {50, 90, 99, 99.9, 99.99};

    String text() {
        StringBuilder text = new StringBuilder(String.format(
                Locale.ROOT,
                "%s %s: %d records in %.3f s: %d records/s, %.1f MB/s%s",
                name,
                topic,
                records,
                elapsedNs / 1e9,
                perSecond(records),
                perSecond(bytes) / 1e6,
                missing == 0 ? "" : "; " + missing + " records missing"));
        append(text, "latency us:", latencyNs);
        append(text, "publish to ack us:", ackNs);
        return text.toString();
    }

    private static void append(StringBuilder text, String title, Histogram ns) {
        if (ns.getTotalCount() > 0) {
            text.append('\n').append(title);
            for (double percentile : PERCENTILES) {
                text.append(String.format(Locale.ROOT, " p%s %.0f", label(percentile), atUs(ns, percentile)));
            }
            text.append(String.format(Locale.ROOT, " max %.0f", ns.getMaxValue() / 1e3));
        }
    }

    void writeJson(JsonGenerator json) throws IOException {
        json.writeStartObject();
        json.writeStringField("bench", name);
        json.writeStringField("topic", topic);
        json.writeNumberField("records", records);
        json.writeNumberField("bytes", bytes);
        json.writeNumberField("missing", missing);
        json.writeNumberField("elapsed_ms", elapsedNs / 1_000_000);
        json.writeNumberField("records_per_second", perSecond(records));
        json.writeNumberField("bytes_per_second", perSecond(bytes));
        write(json, "latency_us", latencyNs);
        write(json, "ack_latency_us", ackNs);
        json.writeEndObject();
    }

    private static void write(JsonGenerator json, String field, Histogram ns) throws IOException {
        if (ns.getTotalCount() > 0) {
            json.writeObjectFieldStart(field);
            for (double percentile : PERCENTILES) {
                json.writeNumberField("p" + label(percentile), atUs(ns, percentile));
            }
            json.writeNumberField("max", ns.getMaxValue() / 1e3);
            json.writeEndObject();
        }
    }

    private long perSecond(long amount) {
        return (long) (amount / (Math.max(1, elapsedNs) / 1e9));
    }

    private static double atUs(Histogram ns, double percentile) {
        return ns.getValueAtPercentile(percentile) / 1e3;
    }

    private static String label(double percentile) {
        return percentile == Math.rint(percentile) ? Long.toString((long) percentile) : Double.toString(percentile);
    }
}
