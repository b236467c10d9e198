package io.spillway.broker.cli;

import java.time.Instant;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Diagnoses as people read them. */
final class DiagnoseView {
    private DiagnoseView() {}

    static String text(Map<String, @Nullable Object> answer) {
        StringBuilder text = new StringBuilder();
        for (Map<String, @Nullable Object> each : LinkReport.objects(answer, "diagnoses")) {
            text.append(text.isEmpty() ? "" : "\n");
            text.append(AdminClient.text(each, "about"))
                    .append(": ")
                    .append(AdminClient.text(each, "cause"))
                    .append('\n');
            line(text, "what", AdminClient.text(each, "what"));
            line(text, "why", AdminClient.text(each, "why"));
            line(text, "since", since(each));
            line(text, "next", AdminClient.text(each, "next_step"));
            line(text, "see", AdminClient.text(each, "runbook"));
        }
        return text.toString().stripTrailing();
    }

    private static String since(Map<String, @Nullable Object> each) {
        long sinceMs = LinkReport.number(each, "since_ms");
        return sinceMs == 0 ? "" : Instant.ofEpochMilli(sinceMs).toString();
    }

    private static void line(StringBuilder text, String name, String value) {
        if (!value.isEmpty()) {
            text.append("  ")
                    .append("%-6s".formatted(name + ":"))
                    .append(' ')
                    .append(value)
                    .append('\n');
        }
    }

    /** One line: whether a service serves, and if not, why and what to do. */
    static String serving(Map<String, @Nullable Object> answer) {
        StringBuilder line = new StringBuilder(AdminClient.text(answer, "status"));
        String service = AdminClient.text(answer, "service");
        line.append(service.isEmpty() ? "" : " " + service);
        String reasons = answer.containsKey("diagnoses") ? "diagnoses" : "causes";
        for (Map<String, @Nullable Object> each : LinkReport.objects(answer, reasons)) {
            line.append(": ")
                    .append(AdminClient.text(each, "cause"))
                    .append(": ")
                    .append(AdminClient.text(each, "why"))
                    .append("; next: ")
                    .append(AdminClient.text(each, "next_step"));
        }
        return line.toString();
    }

    /** One line for each check. */
    static String check(Map<String, @Nullable Object> check) {
        StringBuilder line = new StringBuilder(
                "%-8s %s".formatted(AdminClient.text(check, "severity"), AdminClient.text(check, "check")));
        var found = LinkReport.objects(check, "found");
        if (!found.isEmpty()) {
            Map<String, @Nullable Object> first = found.get(0);
            line.append(": ")
                    .append(AdminClient.text(first, "about"))
                    .append(": ")
                    .append(AdminClient.text(first, "cause"))
                    .append(": ")
                    .append(AdminClient.text(first, "why"));
            if (found.size() > 1) {
                line.append("; and ").append(found.size() - 1).append(" more");
            }
            line.append("; next: ").append(AdminClient.text(first, "next_step"));
        }
        return line.toString();
    }
}
