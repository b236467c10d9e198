package io.spillway.broker.cli;

import java.io.IOException;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Parameters;

/** {@code spillway acl}: who may do what. */
@Command(
        name = "acl",
        description = {
            "Says who may do what. With auth.acl on, what no rule allows is denied, and so is what one denies.",
            "Talks to the http address of the broker; in a cluster the leader does what is asked."
        })
final class AclCommand {
    private static final Duration READ_TIMEOUT = Duration.ofSeconds(10);
    private static final Duration CHANGE_TIMEOUT = Duration.ofSeconds(30);
    private static final String PRINCIPAL =
            "A user, the name of a certificate or the subject of a token; * is everybody.";
    private static final String OPERATIONS =
            "read, write, describe, create, alter, delete, replay, chaos, drain, quota, toggle, cluster or all; several with "
                    + "commas.";
    private static final String RESOURCE =
            "topic:NAME, group:NAME or cluster. A name with a * behind is the beginning of names.";

    private final Console console;

    AclCommand(Console console) {
        this.console = console;
    }

    @Command(name = "add", description = "Allows or denies something.")
    int add(
            @Mixin HttpOptions http,
            @Parameters(index = "0", paramLabel = "PRINCIPAL", description = PRINCIPAL) String principal,
            @Parameters(
                            index = "1",
                            paramLabel = "allow|deny",
                            description = "What denies counts more than what allows.")
                    String effect,
            @Parameters(index = "2", paramLabel = "OPERATION", split = ",", description = OPERATIONS)
                    List<String> operations,
            @Parameters(index = "3", paramLabel = "RESOURCE", description = RESOURCE) String resource)
            throws IOException {
        for (String operation : operations) {
            Map<String, String> query = query(principal, operation, resource);
            query.put("effect", effect);
            Map<String, @Nullable Object> answer = post(http, "add", query);
            console.line(http.json() ? LinkReport.json(answer) : AdminClient.text(answer, "what"));
        }
        return ExitCode.OK;
    }

    @Command(name = "delete", description = "Takes a rule away, whether it allows or denies.")
    int delete(
            @Mixin HttpOptions http,
            @Parameters(index = "0", paramLabel = "PRINCIPAL", description = PRINCIPAL) String principal,
            @Parameters(index = "1", paramLabel = "OPERATION", split = ",", description = OPERATIONS)
                    List<String> operations,
            @Parameters(index = "2", paramLabel = "RESOURCE", description = RESOURCE) String resource)
            throws IOException {
        for (String operation : operations) {
            Map<String, @Nullable Object> answer = post(http, "delete", query(principal, operation, resource));
            console.line(
                    http.json() ? LinkReport.json(answer) : "no rule any more: " + AdminClient.text(answer, "what"));
        }
        return ExitCode.OK;
    }

    private static Map<String, String> query(String principal, String operation, String resource) {
        int colon = resource.indexOf(':');
        Map<String, String> query = new LinkedHashMap<>();
        query.put("principal", principal);
        query.put("operation", operation);
        query.put("resource", colon < 0 ? resource : resource.substring(0, colon));
        if (colon >= 0) {
            query.put("name", resource.substring(colon + 1));
        }
        return query;
    }

    @Command(name = "list", description = "Shows the rules there are.")
    int list(@Mixin HttpOptions http) throws IOException {
        Map<String, @Nullable Object> answer = http.client().get("/acls", http.timeout(READ_TIMEOUT));
        Table table = new Table("PRINCIPAL", "EFFECT", "OPERATION", "RESOURCE");
        for (Map<String, @Nullable Object> rule : LinkReport.objects(answer, "rules")) {
            String name = AdminClient.text(rule, "name");
            table.row(
                    AdminClient.text(rule, "principal"),
                    AdminClient.text(rule, "effect"),
                    AdminClient.text(rule, "operation"),
                    AdminClient.text(rule, "resource") + (name.isEmpty() ? "" : ":" + name));
        }
        console.line(http.json() ? LinkReport.json(answer) : table.toString());
        return ExitCode.OK;
    }

    private static Map<String, @Nullable Object> post(HttpOptions http, String change, Map<String, String> query)
            throws IOException {
        return http.client().postToLeader("/acls/" + change, query, http.timeout(CHANGE_TIMEOUT));
    }
}
