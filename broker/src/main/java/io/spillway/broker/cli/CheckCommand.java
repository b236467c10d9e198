package io.spillway.broker.cli;

import io.spillway.broker.base.SpillwayException;
import io.spillway.broker.diagnose.Severity;
import io.spillway.protocol.Code;
import java.io.IOException;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code spillway check}: a broker graded, for scripts and probes. */
@Command(
        name = "check",
        description = {
            "Grades a broker, one line for each check, for scripts, probes and monitoring that takes Nagios plugins.",
            "Talks to the http address of one broker."
        },
        exitCodeOnInvalidInput = 3,
        footer = {
            "",
            "Exit codes: 0 all is well, 1 a warning, 2 something is critical or no broker answers, 3 it is not known."
        })
final class CheckCommand implements Callable<Integer> {
    private static final Duration TIMEOUT = Duration.ofSeconds(5);

    private final Console console;

    @Mixin
    private HttpOptions http = new HttpOptions();

    @Parameters(
            arity = "0..*",
            paramLabel = "CHECK",
            description = "Only these: process, storage, cluster, pressure, topics, delivery, links, settings.")
    private List<String> wanted = new ArrayList<>();

    @Option(
            names = "--service",
            paramLabel = "NAME",
            description = {
                "Say of this alone whether it serves, as grpc.health.v1 does: readiness, liveness, startup, topic/TOPIC or "
                        + "group/TOPIC/GROUP."
            })
    private @Nullable String service;

    CheckCommand(Console console) {
        this.console = console;
    }

    @Override
    public Integer call() throws IOException {
        Map<String, @Nullable Object> health;
        String query = service == null ? "verbose" : "service=" + URLEncoder.encode(service, StandardCharsets.UTF_8);
        try {
            health = http.client().get("/health?" + query, http.timeout(TIMEOUT));
        } catch (SpillwayException e) {
            return unanswered(e);
        } catch (UsageException e) {
            console.err().println(Severity.UNKNOWN + " " + e.what() + ": " + e.why() + "; next: " + e.nextStep());
            return Severity.UNKNOWN.number();
        }
        if (service != null) {
            return serving(health);
        }
        return graded(health);
    }

    /** Exits with 0 for what serves, 2 for what does not, 3 for what is not there. */
    private int serving(Map<String, @Nullable Object> health) throws IOException {
        console.line(http.json() ? LinkReport.json(health) : DiagnoseView.serving(health));
        return switch (AdminClient.text(health, "status")) {
            case "SERVING" -> Severity.OK.number();
            case "NOT_SERVING" -> Severity.CRITICAL.number();
            default -> Severity.UNKNOWN.number();
        };
    }

    private int graded(Map<String, @Nullable Object> health) throws IOException {
        List<Map<String, @Nullable Object>> checks = new ArrayList<>(LinkReport.objects(health, "checks"));
        List<String> known =
                checks.stream().map(each -> AdminClient.text(each, "check")).toList();
        for (String each : wanted) {
            if (!known.contains(each)) {
                console.err()
                        .println("UNKNOWN " + each + ": there is no such check; there are " + String.join(", ", known));
                return Severity.UNKNOWN.number();
            }
        }
        checks.removeIf(each -> !wanted.isEmpty() && !wanted.contains(AdminClient.text(each, "check")));
        Severity worst = checks.isEmpty() ? Severity.UNKNOWN : Severity.OK;
        for (Map<String, @Nullable Object> each : checks) {
            worst = worst.worse(Severity.valueOf(AdminClient.text(each, "severity")));
            console.line(http.json() ? LinkReport.json(each) : DiagnoseView.check(each));
        }
        return worst.number();
    }

    private int unanswered(SpillwayException failure) {
        boolean isDown = failure.code() == Code.CONNECT_FAILED;
        Severity severity = isDown ? Severity.CRITICAL : Severity.UNKNOWN;
        console.err().println(severity + " " + failure.what() + ": " + failure.why() + "; next: " + failure.nextStep());
        return severity.number();
    }
}
