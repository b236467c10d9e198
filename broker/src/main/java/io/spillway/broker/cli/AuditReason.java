package io.spillway.broker.cli;

import java.util.LinkedHashMap;
import java.util.Map;
import picocli.CommandLine.Option;

/** Why a change is asked for. */
final class AuditReason {
    @Option(names = "--reason", paramLabel = "TEXT", description = "Why; kept in the broker's audit.")
    private String reason = "";

    /** The parameters of a request, and the reason when there is one. */
    Map<String, String> with(Map<String, String> query) {
        if (reason.isEmpty()) {
            return query;
        }
        Map<String, String> more = new LinkedHashMap<>(query);
        more.put("reason", reason);
        return more;
    }
}
