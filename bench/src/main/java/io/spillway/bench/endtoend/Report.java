package io.spillway.bench.endtoend;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Figures of all rounds by section, row and column; each cell ends as a median with its range. Not thread-safe. */
final class Report {
    /** A figure that exact small values matter for has digits after the point below this. */
    private static final double WHOLE_FROM = 100;

    private final Map<String, Map<String, Map<String, List<Double>>>> sections = new LinkedHashMap<>();

    void add(String section, String row, String column, double value) {
        sections.computeIfAbsent(section, s -> new LinkedHashMap<>())
                .computeIfAbsent(row, r -> new LinkedHashMap<>())
                .computeIfAbsent(column, c -> new ArrayList<>())
                .add(value);
    }

    /** The figures of every round, for programs. */
    Map<String, Map<String, Map<String, List<Double>>>> figures() {
        return sections;
    }

    String markdown() {
        StringBuilder out = new StringBuilder();
        sections.forEach((title, rows) -> table(title, rows, out));
        return out.toString();
    }

    private static void table(String title, Map<String, Map<String, List<Double>>> rows, StringBuilder out) {
        Set<String> columns = new LinkedHashSet<>();
        rows.values().forEach(row -> columns.addAll(row.keySet()));
        out.append("\n### ").append(title).append("\n\n| |");
        columns.forEach(column -> out.append(' ').append(column).append(" |"));
        out.append("\n|---|").append("---:|".repeat(columns.size())).append('\n');
        rows.forEach((name, row) -> {
            out.append("| ").append(name).append(" |");
            columns.forEach(
                    column -> out.append(' ').append(cell(row.get(column))).append(" |"));
            out.append('\n');
        });
    }

    private static String cell(@Nullable List<Double> values) {
        if (values == null) {
            return "";
        }
        double[] sorted =
                values.stream().mapToDouble(Double::doubleValue).sorted().toArray();
        String median = number(median(sorted));
        return sorted.length == 1
                ? median
                : median + " (" + number(sorted[0]) + " .. " + number(sorted[sorted.length - 1]) + ")";
    }

    private static double median(double[] sorted) {
        int middle = sorted.length / 2;
        return sorted.length % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
    }

    private static String number(double value) {
        return String.format(Locale.ROOT, value >= WHOLE_FROM || value == 0 ? "%,.0f" : "%.2f", value);
    }
}
