package io.spillway.broker.cli;

import io.spillway.broker.base.SpillwayException;
import io.spillway.protocol.Code;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code spillway chaos}: faults that are injected on purpose, for a while. */
@Command(
        name = "chaos",
        description = {
            "Injects faults into a broker, to rehearse what to do when they come by themselves.",
            "A fault is of the node that is asked, ends by itself, and at a restart. It needs chaos.enabled=true there, and is "
                    + "refused when the cluster would lose its majority by it.",
            "Talks to the http address of that broker."
        })
final class ChaosCommand {
    private static final Duration READ_TIMEOUT = Duration.ofSeconds(10);
    private static final Duration CHANGE_TIMEOUT = Duration.ofSeconds(30);

    private final Console console;

    ChaosCommand(Console console) {
        this.console = console;
    }

    @Command(
            name = "start",
            description = {
                "Injects a fault:",
                "delay: requests wait for --delay before they are looked at",
                "error: requests are refused with --code before any work",
                "drop: requests are taken, and nobody ever answers them",
                "slow-disk: each sync of the log takes --delay longer",
                "failed-sync: a sync fails, and the broker takes nothing more until it is restarted",
                "pause-dispatch: nothing of a topic is delivered",
                "partition: this node and --peer do not hear each other",
                "The first three hit publishers and consumers, never what operators ask."
            })
    int start(
            @Mixin HttpOptions http,
            @Mixin ChaosFaultOptions fault,
            @Parameters(
                            paramLabel = "FAULT",
                            description = "delay, error, drop, slow-disk, failed-sync, pause-dispatch or partition.")
                    String kind)
            throws IOException {
        AdminClient client = http.client();
        if (client.addresses().size() != 1) {
            throw new UsageException(
                    "--http names " + client.addresses().size() + " nodes",
                    "a fault is injected into one",
                    "give the address of that node alone");
        }
        Map<String, @Nullable Object> done =
                client.post("/chaos/start", fault.query(kind), http.timeout(CHANGE_TIMEOUT));
        console.line(
                http.json()
                        ? LinkReport.json(done)
                        : "node " + AdminClient.text(done, "node") + ": " + AdminClient.text(done, "what") + " until "
                                + instant(done, "until_ms") + "; to end it before: spillway chaos stop "
                                + AdminClient.text(done, "id"));
        return ExitCode.OK;
    }

    private static Instant instant(Map<String, @Nullable Object> fault, String name) {
        return Instant.ofEpochMilli(LinkReport.number(fault, name)).truncatedTo(ChronoUnit.SECONDS);
    }

    @Command(name = "list", description = "Shows the faults that are injected now, at each node of --http.")
    int list(@Mixin HttpOptions http) throws IOException {
        AdminClient client = http.client();
        List<Map<String, @Nullable Object>> nodes = new ArrayList<>();
        SpillwayException failure = null;
        for (String address : client.addresses()) {
            try {
                nodes.add(client.get(address, "/chaos", http.timeout(READ_TIMEOUT)));
            } catch (SpillwayException e) {
                failure = e;
            }
        }
        for (Map<String, @Nullable Object> node : http.json() ? nodes : List.<Map<String, @Nullable Object>>of()) {
            console.line(LinkReport.json(node));
        }
        if (!http.json()) {
            console.line(table(nodes));
        }
        if (failure != null) {
            throw failure;
        }
        return ExitCode.OK;
    }

    private static String table(List<Map<String, @Nullable Object>> nodes) {
        Table table = new Table("NODE", "ID", "FAULT", "ENDS IN", "HITS", "BY", "REASON");
        for (Map<String, @Nullable Object> node : nodes) {
            for (Map<String, @Nullable Object> fault : LinkReport.objects(node, "faults")) {
                table.row(
                        AdminClient.text(node, "node"),
                        AdminClient.text(fault, "id"),
                        AdminClient.text(fault, "what"),
                        LinkReport.number(fault, "left_ms") / 1_000 + " s",
                        LinkReport.number(fault, "hits"),
                        AdminClient.text(fault, "who"),
                        AdminClient.text(fault, "reason"));
            }
        }
        return table.toString();
    }

    @Command(name = "stop", description = "Ends a fault before its time, or all of them, at each node of --http.")
    int stop(
            @Mixin HttpOptions http,
            @Mixin AuditReason reason,
            @Parameters(arity = "0..1", paramLabel = "ID", defaultValue = "", description = "Of the fault.") String id,
            @Option(names = "--all", description = "All faults.") boolean all)
            throws IOException {
        if (all != id.isEmpty()) {
            throw new UsageException(
                    all ? "ID and --all are given" : "no fault is named",
                    "it is one or the other",
                    "give the ID that spillway chaos list shows, or --all");
        }
        Map<String, String> query = new LinkedHashMap<>(reason.with(Map.of("id", all ? "all" : id)));
        query.put("by", System.getProperty("user.name", ""));
        SpillwayException missing = null;
        int asked = 0;
        for (String address : http.client().addresses()) {
            try {
                asked += stop(http, new AdminClient(List.of(address), http.access()), query);
            } catch (SpillwayException e) {
                missing = missing == null || e.code() != Code.NOT_FOUND ? e : missing;
            }
        }
        if (missing != null && (asked == 0 || missing.code() != Code.NOT_FOUND)) {
            throw missing;
        }
        return ExitCode.OK;
    }

    private int stop(HttpOptions http, AdminClient node, Map<String, String> query) throws IOException {
        Map<String, @Nullable Object> done = node.post("/chaos/stop", query, http.timeout(CHANGE_TIMEOUT));
        if (http.json()) {
            console.line(LinkReport.json(done));
            return 1;
        }
        List<Map<String, @Nullable Object>> ended = LinkReport.objects(done, "ended");
        for (Map<String, @Nullable Object> fault : ended) {
            console.line(
                    "node " + AdminClient.text(done, "node") + ": " + AdminClient.text(fault, "what") + " has ended");
        }
        if (ended.isEmpty()) {
            console.line("node " + AdminClient.text(done, "node") + ": there was no fault");
        }
        return 1;
    }

    /** What a fault does, to whom, for how long and why. */
    static final class ChaosFaultOptions {
        @Option(
                names = "--ttl",
                required = true,
                paramLabel = "DURATION",
                description = "After which it ends by itself: 1s to 1h.")
        private Duration ttl = Duration.ZERO;

        @Option(
                names = "--reason",
                required = true,
                paramLabel = "TEXT",
                description = "Why; kept in the broker's audit, and shown to whoever is hit.")
        private String reason = "";

        @Option(names = "--topic", paramLabel = "TOPIC", description = "Only this topic.")
        private String topic = "";

        @Option(names = "--principal", paramLabel = "NAME", description = "Only requests of this client.")
        private String principal = "";

        @Option(
                names = "--domain",
                paramLabel = "NAME",
                description = "Only requests of this failure domain, such as go or rust.")
        private String domain = "";

        @Option(
                names = "--peer",
                paramLabel = "ID",
                description = "Of a partition: the other node, or several, separated by commas, or all.")
        private String peer = "";

        @Option(
                names = "--node",
                paramLabel = "ID",
                description = "Refuses when the node that is asked is another one.")
        private String node = "";

        @Option(
                names = "--percent",
                paramLabel = "N",
                description = "Of requests, syncs, or groups of a topic. Default: 100.")
        private int percent = 100;

        @Option(
                names = "--delay",
                paramLabel = "DURATION",
                description = "Of delay (at most 1m) and slow-disk (at most 10s), such as 200ms.")
        private @Nullable Duration delay;

        @Option(
                names = "--code",
                paramLabel = "CODE",
                description = "Of error: with which requests are refused. Default: OVERLOADED.")
        private String code = "";

        Map<String, String> query(String kind) {
            Map<String, String> query = new LinkedHashMap<>();
            query.put("kind", kind);
            query.put("ttl_ms", Long.toString(ttl.toMillis()));
            query.put("reason", reason);
            query.put("percent", Integer.toString(percent));
            query.put("by", System.getProperty("user.name", ""));
            put(query, "topic", topic);
            put(query, "principal", principal);
            put(query, "domain", domain);
            put(query, "peer", peer);
            put(query, "node", node);
            put(query, "code", code);
            put(query, "delay_ms", delay == null ? "" : Long.toString(delay.toMillis()));
            return query;
        }

        private static void put(Map<String, String> query, String name, String value) {
            if (!value.isEmpty()) {
                query.put(name, value);
            }
        }
    }
}
