package io.spillway.broker.metrics;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Objects;
import org.junit.jupiter.api.Test;

final class MetricNamesTest {
    @Test
    void namesAreUniqueAndFollowPrometheus() {
        assertThat(MetricNames.ALL).extracting(Metric::name).doesNotHaveDuplicates();
        assertThat(MetricNames.ALL).allSatisfy(metric -> {
            assertThat(metric.name()).matches("spillway(_[a-z]+)+");
            assertThat(metric.name().endsWith("_total")).isEqualTo(metric.kind() == Metric.Kind.COUNTER);
            assertThat(metric.doc()).matches("[0-9A-Z][^|\n]*\\.");
        });
    }

    /** Run with -Ddocs.rewrite=true to write the page anew. */
    @Test
    void theDocumentationIsMadeFromTheList() throws IOException {
        Path page = Path.of(
                Objects.requireNonNull(System.getProperty("spillway.root")), "docs", "operations", "metrics.md");
        if (Boolean.getBoolean("docs.rewrite")) {
            Files.createDirectories(page.getParent());
            Files.writeString(page, documentation());
        }

        assertThat(page).hasContent(documentation());
    }

    private static String documentation() {
        StringBuilder page = new StringBuilder("""
                # Metrics

                `GET /metrics` on the `http` address answers in Prometheus text format. Names are for ever. Counters begin at 0 when
                the broker starts. Metrics that begin with `jvm_`, `process_` or `system_` describe the JVM and its machine; they
                begin with the first scrape.

                | Metric | Type | Labels | Meaning |
                |---|---|---|---|
                """);
        for (Metric metric : MetricNames.ALL) {
            page.append("| `%s` | %s | %s | %s |%n"
                    .formatted(
                            metric.name(),
                            metric.kind().name().toLowerCase(Locale.ROOT),
                            String.join(", ", metric.labels()),
                            metric.doc()));
        }
        return page.toString();
    }
}
