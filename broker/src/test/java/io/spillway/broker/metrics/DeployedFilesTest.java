package io.spillway.broker.metrics;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.spillway.broker.diagnose.Cause;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.snakeyaml.engine.v2.api.Load;
import org.snakeyaml.engine.v2.api.LoadSettings;

/** The dashboard and the alert rules in deploy/ speak of metrics, labels and pages that are there. */
final class DeployedFilesTest {
    private static final Path ROOT = Path.of(Objects.requireNonNull(System.getProperty("spillway.root")));
    private static final Pattern NAME = Pattern.compile("\\bspillway_[a-z_]+");
    private static final Pattern SELECTOR = Pattern.compile("\\b(spillway_[a-z_]+)\\{([^}]*)}");
    private static final Pattern MATCHER = Pattern.compile("([a-z_]+)\\s*=~?\\s*\"([^\"]*)\"");
    private static final Pattern GROUPING = Pattern.compile("by \\(([^)]*)\\)");
    private static final Set<String> OF_PROMETHEUS = Set.of("instance", "job", "le");

    private record Rule(String name, String expression, Map<?, ?> labels, Map<?, ?> annotations, String lasting) {}

    private static List<Rule> rules() throws IOException {
        Object file = new Load(LoadSettings.builder().build())
                .loadFromString(Files.readString(ROOT.resolve("deploy/prometheus/alerts.yml")));
        List<Rule> rules = new ArrayList<>();
        for (Object group : (List<?>) Objects.requireNonNull(((Map<?, ?>) file).get("groups"))) {
            for (Object each : (List<?>) Objects.requireNonNull(((Map<?, ?>) group).get("rules"))) {
                Map<?, ?> rule = (Map<?, ?>) each;
                rules.add(new Rule(
                        String.valueOf(rule.get("alert")),
                        String.valueOf(rule.get("expr")),
                        (Map<?, ?>) Objects.requireNonNull(rule.get("labels")),
                        (Map<?, ?>) Objects.requireNonNull(rule.get("annotations")),
                        String.valueOf(rule.get("for"))));
            }
        }
        return rules;
    }

    private static List<String> expressionsOfTheDashboard() throws IOException {
        List<String> all = new ArrayList<>();
        JsonNode dashboard = new ObjectMapper()
                .readTree(ROOT.resolve("deploy/grafana/spillway.json").toFile());
        for (JsonNode panel : dashboard.get("panels")) {
            for (JsonNode target : panel.path("targets")) {
                all.add(target.get("expr").asText());
            }
        }
        return all;
    }

    /** By the names that samples have. */
    private static Map<String, Metric> samples() {
        return MetricNames.ALL.stream()
                .flatMap(metric -> metric.kind() == Metric.Kind.HISTOGRAM
                        ? List.of("_bucket", "_sum", "_count").stream()
                                .map(suffix -> Map.entry(metric.name() + suffix, metric))
                        : List.of(Map.entry(metric.name(), metric)).stream())
                .collect(Collectors.toMap(Map.Entry::getKey, Map.Entry::getValue));
    }

    private static List<String> faults(String expression) {
        List<String> faults = new ArrayList<>();
        Set<String> labels = new TreeSet<>(OF_PROMETHEUS);
        Matcher names = NAME.matcher(expression);
        while (names.find()) {
            Metric metric = samples().get(names.group());
            if (metric == null) {
                faults.add("there is no " + names.group());
            } else {
                labels.addAll(metric.labels());
            }
        }
        Matcher selectors = SELECTOR.matcher(expression);
        while (selectors.find()) {
            Matcher matchers = MATCHER.matcher(selectors.group(2));
            while (matchers.find()) {
                if (!labels.contains(matchers.group(1))) {
                    faults.add(selectors.group(1) + " has no label " + matchers.group(1));
                }
                if (matchers.group(1).equals("cause") && !isCause(selectors.group(1), matchers.group(2))) {
                    faults.add("there is no cause " + matchers.group(2));
                }
            }
        }
        Matcher groupings = GROUPING.matcher(expression);
        while (groupings.find()) {
            for (String label : groupings.group(1).split(",\\s*")) {
                if (!labels.contains(label)) {
                    faults.add("no label " + label);
                }
            }
        }
        return faults;
    }

    private static boolean isCause(String metric, String value) {
        return metric.contains("redelivered")
                || Arrays.stream(Cause.values()).anyMatch(cause -> cause.name().equals(value));
    }

    @Test
    void theAlertsSpeakOfMetricsThatAreThere() throws IOException {
        List<Rule> rules = rules();

        assertThat(rules).hasSizeGreaterThan(40);
        assertThat(rules).extracting(Rule::name).doesNotHaveDuplicates();
        assertThat(rules).allSatisfy(rule -> {
            assertThat(faults(rule.expression())).as(rule.name()).isEmpty();
            assertThat(rule.name()).matches("Spillway[A-Z][A-Za-z]+");
            assertThat(rule.lasting()).matches("\\d+[smhd]");
        });
    }

    @Test
    void eachAlertSaysWhatAndWhyAndNamesAPage() throws IOException {
        assertThat(rules()).allSatisfy(rule -> {
            assertThat(rule.labels().get("severity")).isIn("warning", "critical");
            assertThat(String.valueOf(rule.annotations().get("summary"))).hasSizeBetween(10, 120);
            assertThat(String.valueOf(rule.annotations().get("description"))).hasSizeGreaterThan(10);
            assertThat(ROOT.resolve(String.valueOf(rule.annotations().get("runbook"))))
                    .as(rule.name())
                    .exists();
        });
    }

    @Test
    void whatIsCriticalWakesSomebody() throws IOException {
        List<String> expressions = rules().stream().map(Rule::expression).toList();

        assertThat(Arrays.stream(Cause.values())
                        .filter(cause -> Cause.ofDispatch().contains(cause)
                                && cause.severity() == io.spillway.broker.diagnose.Severity.CRITICAL))
                .allSatisfy(cause -> assertThat(expressions)
                        .as(cause.name())
                        .anyMatch(expression -> expression.contains("\"" + cause + "\"")));
    }

    @Test
    void theDashboardSpeaksOfMetricsThatAreThere() throws IOException {
        List<String> expressions = expressionsOfTheDashboard();

        assertThat(expressions).hasSizeGreaterThan(40);
        assertThat(expressions)
                .allSatisfy(expression ->
                        assertThat(faults(expression)).as(expression).isEmpty());
    }

    @Test
    void everyMetricIsOnTheDashboardInAnAlertOrTheSameAsOneThatIs() throws IOException {
        String all = rules().stream().map(Rule::expression).collect(Collectors.joining("\n"))
                + String.join("\n", expressionsOfTheDashboard());
        Set<String> elsewhere = Set.of(
                "spillway_topics",
                "spillway_delivered_batches_total",
                "spillway_delivered_bytes_total",
                "spillway_log_syncs_total",
                "spillway_log_sync_seconds_total",
                "spillway_snapshots_total",
                "spillway_log_relocated_bytes_total",
                "spillway_log_freed_segments_total",
                "spillway_read_only",
                "spillway_cluster_commit_index",
                "spillway_cluster_applied_index",
                "spillway_cluster_returning",
                "spillway_link_copied_bytes",
                "spillway_link_state");

        assertThat(MetricNames.ALL)
                .extracting(Metric::name)
                .filteredOn(name -> !elsewhere.contains(name))
                .allSatisfy(name -> assertThat(all).contains(name));
    }
}
