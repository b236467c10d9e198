package io.spillway.broker.cli;

import java.io.IOException;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code spillway quota}: how much may be published. */
@Command(
        name = "quota",
        description = {
            "Bounds how much may be published by a client, to a topic, by a failure domain or over a connection.",
            "A batch over the quota is taken and owed: acks tell clients how long to wait. Who owes more than five seconds is "
                    + "refused with THROTTLED.",
            "Talks to the http address of the broker; in a cluster the leader does what is asked."
        })
final class QuotaCommand {
    private static final Duration READ_TIMEOUT = Duration.ofSeconds(10);
    private static final Duration CHANGE_TIMEOUT = Duration.ofSeconds(30);
    private static final String SCOPE = "principal, topic, principal-topic, domain or connection.";
    private static final String NAME =
            "Whose: a client id, a topic, CLIENT/TOPIC, a failure domain. * is each that has no quota of its own.";

    private final Console console;

    QuotaCommand(Console console) {
        this.console = console;
    }

    @Command(name = "set", description = "Sets a quota, or another rate for one that is there.")
    int set(
            @Mixin HttpOptions http,
            @Parameters(paramLabel = "SCOPE", description = SCOPE) String scope,
            @Parameters(paramLabel = "NAME", description = NAME) String name,
            @Option(
                            names = "--rate",
                            required = true,
                            paramLabel = "BYTES",
                            description = "Bytes a second. A record counts for 256 more than it has.")
                    long rate,
            @Option(
                            names = "--burst",
                            paramLabel = "BYTES",
                            defaultValue = "0",
                            description = "Bytes at once after a pause. Default: what comes in a second.")
                    long burst)
            throws IOException {
        Map<String, String> query = new LinkedHashMap<>();
        query.put("scope", scope);
        query.put("name", name);
        query.put("rate", Long.toString(rate));
        if (burst != 0) {
            query.put("burst", Long.toString(burst));
        }
        return done(http, post(http, "set", query), "quota " + scope + ":" + name + " is " + rate + " bytes a second");
    }

    @Command(name = "show", description = "Shows the quotas there are.")
    int show(@Mixin HttpOptions http) throws IOException {
        Map<String, @Nullable Object> answer = http.client().get("/quotas", http.timeout(READ_TIMEOUT));
        console.line(http.json() ? LinkReport.json(answer) : table(answer));
        return ExitCode.OK;
    }

    private static String table(Map<String, @Nullable Object> answer) {
        Table table = new Table("SCOPE", "NAME", "BYTES/S", "BURST");
        for (Map<String, @Nullable Object> quota : LinkReport.objects(answer, "quotas")) {
            table.row(
                    AdminClient.text(quota, "scope"),
                    AdminClient.text(quota, "name"),
                    LinkReport.number(quota, "bytes_per_second"),
                    LinkReport.number(quota, "burst_bytes"));
        }
        return table.toString();
    }

    @Command(name = "remove", description = "Takes a quota away. What is owed to it is forgotten.")
    int remove(
            @Mixin HttpOptions http,
            @Parameters(paramLabel = "SCOPE", description = SCOPE) String scope,
            @Parameters(paramLabel = "NAME", description = NAME) String name)
            throws IOException {
        Map<String, String> query = Map.of("scope", scope, "name", name);
        return done(http, post(http, "remove", query), "quota " + scope + ":" + name + " is removed");
    }

    private int done(HttpOptions http, Map<String, @Nullable Object> answer, String text) throws IOException {
        console.line(http.json() ? LinkReport.json(answer) : text);
        return ExitCode.OK;
    }

    private static Map<String, @Nullable Object> post(HttpOptions http, String change, Map<String, String> query)
            throws IOException {
        return http.client().postToLeader("/quotas/" + change, query, http.timeout(CHANGE_TIMEOUT));
    }
}
