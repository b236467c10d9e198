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
 * @param latencyNs empty when it is not measured
 */
record BenchReport(
        String name, String topic, long records, long bytes, long missing, long elapsedNs, Histogram latencyNs) {
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
        if (latencyNs.getTotalCount() > 0) {
            text.append("\nlatency us:");
            for (double percentile : PERCENTILES) {
                text.append(String.format(Locale.ROOT, " p%s %.0f", label(percentile), atUs(percentile)));
            }
            text.append(String.format(Locale.ROOT, " max %.0f", latencyNs.getMaxValue() / 1e3));
        }
        return text.toString();
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
        if (latencyNs.getTotalCount() > 0) {
            json.writeObjectFieldStart("latency_us");
            for (double percentile : PERCENTILES) {
                json.writeNumberField("p" + label(percentile), atUs(percentile));
            }
            json.writeNumberField("max", latencyNs.getMaxValue() / 1e3);
            json.writeEndObject();
        }
        json.writeEndObject();
    }

    private long perSecond(long amount) {
        return (long) (amount / (Math.max(1, elapsedNs) / 1e9));
    }

    private double atUs(double percentile) {
        return latencyNs.getValueAtPercentile(percentile) / 1e3;
    }

    private static String label(double percentile) {
        return percentile == Math.rint(percentile) ? Long.toString((long) percentile) : Double.toString(percentile);
    }
}
