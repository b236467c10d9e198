package io.spillway.broker.metrics;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * What {@code promtool check metrics} finds, and what we want besides: no label that names what there can be any number of.
 * Reads the text of a scrape.
 */
public final class MetricsLint {
    private static final Pattern HELP = Pattern.compile("# HELP (\\S+) (.*)");
    private static final Pattern TYPE = Pattern.compile("# TYPE (\\S+) (counter|gauge|histogram|summary|untyped)");
    private static final Pattern SAMPLE =
            Pattern.compile("([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\\{(.*)})? (NaN|[+-]Inf|-?[0-9.]+(?:[eE][+-]?[0-9]+)?)");
    private static final Pattern LABEL = Pattern.compile("([a-zA-Z_][a-zA-Z0-9_]*)=\"((?:[^\"\\\\]|\\\\.)*)\",?");
    /** Those of promlint that somebody may come to think of; ours are seconds, bytes, records and so on. */
    private static final Pattern NOT_A_BASE_UNIT = Pattern.compile(
            ".*_(ms|millis|milliseconds|us|micros|microseconds|ns|nanos|nanoseconds|minutes|hours|days|weeks|kb|kib|"
                    + "kilobytes|mb|mib|megabytes|gb|gib|gigabytes|bits|percent|pct|permille|bp)(_.*|$)");

    private static final Pattern TYPE_IN_NAME = Pattern.compile(".*_(gauge|counter|histogram|summary)(_.*|$)");
    private static final Set<String> FORBIDDEN = Set.of(
            "id",
            "topic",
            "group",
            "member",
            "consumer",
            "client",
            "principal",
            "key",
            "partition",
            "producer",
            "job",
            "instance",
            "connection",
            "correlation",
            "trace",
            "path",
            "offset",
            "plan",
            "quantile");
    private static final int MOST_VALUES = 40;

    private final Map<String, String> helps = new HashMap<>();
    private final Map<String, String> types = new HashMap<>();
    private final Set<String> series = new HashSet<>();
    private final Map<String, Set<String>> values = new HashMap<>();
    private final List<String> faults = new ArrayList<>();

    /** What is wrong with the metrics of this scrape whose names begin so. */
    public static List<String> faults(String scrape, String prefix) {
        MetricsLint lint = new MetricsLint();
        for (String line : scrape.split("\n")) {
            lint.line(line, prefix);
        }
        lint.types.keySet().stream().filter(name -> name.startsWith(prefix)).forEach(lint::family);
        lint.values.forEach((label, all) -> {
            if (all.size() > MOST_VALUES) {
                lint.faults.add(label + " has " + all.size() + " values");
            }
        });
        return lint.faults;
    }

    private void line(String line, String prefix) {
        Matcher help = HELP.matcher(line);
        Matcher type = TYPE.matcher(line);
        if (help.matches()) {
            if (helps.put(help.group(1), help.group(2)) != null) {
                faults.add(help.group(1) + " has HELP twice");
            }
        } else if (type.matches()) {
            if (types.put(type.group(1), type.group(2)) != null) {
                faults.add(type.group(1) + " has TYPE twice");
            }
        } else if (!line.isEmpty() && !line.startsWith("#")) {
            Matcher sample = SAMPLE.matcher(line);
            if (!sample.matches()) {
                faults.add("not understood: " + line);
            } else if (sample.group(1).startsWith(prefix)) {
                sample(sample, line);
            }
        }
    }

    private void sample(Matcher sample, String line) {
        String name = sample.group(1);
        String labels = sample.group(2) == null ? "" : sample.group(2);
        if (!series.add(name + "{" + labels + "}")) {
            faults.add("twice: " + line);
        }
        if (family(name, "") == null) {
            faults.add(name + " has no TYPE before its samples");
        }
        Set<String> names = new TreeSet<>();
        Matcher label = LABEL.matcher(labels);
        int end = 0;
        while (label.find()) {
            end = label.end();
            if (!names.add(label.group(1))) {
                faults.add("label " + label.group(1) + " twice: " + line);
            }
            label(name, label.group(1), label.group(2));
        }
        if (end != labels.length()) {
            faults.add("labels not understood: " + line);
        }
    }

    private void label(String metric, String label, String value) {
        String type = types.getOrDefault(String.valueOf(family(metric, "")), "");
        if (label.equals("le") && !type.equals("histogram")) {
            faults.add(metric + " has the label le and is no histogram");
        } else if (FORBIDDEN.contains(label)) {
            faults.add(metric + " has the label " + label + ", of which there can be any number of values");
        } else if (!label.matches("[a-z][a-z_]*")) {
            faults.add(metric + " has a label " + label);
        }
        if (!value.matches("[\\x20-\\x7e]{1,64}")) {
            faults.add(metric + " has a value of " + label + " that is empty, long or strange: " + value);
        }
        values.computeIfAbsent(metric + "{" + label + "}", any -> new TreeSet<>())
                .add(value);
    }

    /** The name in TYPE for that of a sample, or null. */
    private @Nullable String family(String sample, String none) {
        if (types.containsKey(sample)) {
            return sample;
        }
        for (String suffix : List.of("_bucket", "_sum", "_count")) {
            String name = sample.endsWith(suffix) ? sample.substring(0, sample.length() - suffix.length()) : none;
            if ("histogram".equals(types.get(name)) || "summary".equals(types.get(name))) {
                return name;
            }
        }
        return null;
    }

    private void family(String name) {
        String type = types.getOrDefault(name, "");
        if (helps.getOrDefault(name, "").length() < 10) {
            faults.add(name + " has no help");
        }
        if (!name.matches("[a-z]+(_[a-z]+)+")) {
            faults.add(name + " is not in snake case");
        }
        if (type.equals("counter") != name.endsWith("_total")) {
            faults.add(name + " is a " + type + ": counters end with _total, and nothing else does");
        }
        if (name.endsWith("_bucket") || name.endsWith("_sum") || name.endsWith("_count")) {
            faults.add(name + " ends as parts of a histogram do");
        }
        if (NOT_A_BASE_UNIT.matcher(name).matches()) {
            faults.add(name + " is not in a base unit");
        }
        if (TYPE_IN_NAME.matcher(name).matches()) {
            faults.add(name + " has its type in its name");
        }
        if (type.equals("histogram") && !name.endsWith("_seconds") && !name.endsWith("_bytes")) {
            faults.add(name + " is a histogram without a unit");
        }
        for (String unit : List.of("seconds", "bytes", "ratio")) {
            boolean isLast = name.endsWith("_" + unit) || name.endsWith("_" + unit + "_total");
            if (name.contains("_" + unit) && !isLast) {
                faults.add(name + " has its unit not at its end");
            }
        }
    }
}
