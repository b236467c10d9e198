package io.spillway.broker.cli;

import io.spillway.broker.base.SpillwayException;
import io.spillway.protocol.Code;
import java.io.IOException;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code spillway cluster}: shows a cluster, and changes who is in it and who leads. */
@Command(
        name = "cluster",
        description = {
            "Shows a cluster, and changes who is in it and who leads.",
            "Talks to the http address of any node; the leader does what is asked."
        })
final class ClusterCommand {
    private static final Duration READ_TIMEOUT = Duration.ofSeconds(10);
    private static final Duration CHANGE_TIMEOUT = Duration.ofSeconds(30);

    private final Console console;

    ClusterCommand(Console console) {
        this.console = console;
    }

    @Command(
            name = "status",
            description = {
                "Shows the leader, the nodes, how far each is, and what is not well.",
                "Ends with 5 while no leader is known."
            })
    int status(@Mixin HttpOptions http) throws IOException {
        ClusterReport report = report(http);
        if (http.json()) {
            console.json(json -> ClusterTables.writeJson(report, json));
        } else {
            console.line(ClusterTables.status(report));
        }
        return report.hasLeader() ? ExitCode.OK : ExitCode.REFUSED;
    }

    @Command(
            name = "zones",
            description = "Shows the zones: voters, listeners, lag, and whether the cluster goes on without each.")
    int zones(@Mixin HttpOptions http) throws IOException {
        ClusterReport report = report(http);
        if (http.json()) {
            ClusterTables.writeZones(report, console);
        } else {
            console.line(ClusterTables.zoneTable(report));
        }
        return report.hasLeader() ? ExitCode.OK : ExitCode.REFUSED;
    }

    /** Of the first node that knows a leader, else of the last one that answers. */
    private static ClusterReport report(HttpOptions http) throws IOException {
        AdminClient client = http.client();
        ClusterReport found = null;
        SpillwayException failure = null;
        for (String address : client.addresses()) {
            try {
                found = ClusterReport.of(client.get(address, "/cluster", http.timeout(READ_TIMEOUT)));
                if (found.hasLeader()) {
                    return found;
                }
            } catch (SpillwayException e) {
                failure = worse(failure, e);
            }
        }
        if (found != null) {
            return found;
        }
        if (failure != null) {
            throw failure;
        }
        throw new UsageException("no node is given", "--http is empty", "give the http address of a node");
    }

    /** What a broker said says more than that one cannot be reached. */
    private static SpillwayException worse(@Nullable SpillwayException before, SpillwayException now) {
        return before != null && now.code() == Code.CONNECT_FAILED ? before : now;
    }

    @Command(
            name = "add-node",
            description = {
                "Admits a node that runs and waits, or makes its new addresses or zone known.",
                "It votes if its zone has no voter and a seat is free, else it listens. A node started with --seed is admitted "
                        + "without this."
            })
    int addNode(
            @Mixin HttpOptions http,
            @Parameters(paramLabel = "NODE", description = "Its node-id.") String node,
            @Option(names = "--zone", required = true, paramLabel = "ZONE", description = "Its zone.") String zone,
            @Option(
                            names = "--cluster-address",
                            required = true,
                            paramLabel = "HOST:PORT",
                            description = "Where the other nodes reach it: its cluster-listen.")
                    String clusterAddress,
            @Option(
                            names = "--client-address",
                            required = true,
                            paramLabel = "HOST:PORT",
                            description = "Where clients reach it: its advertise, or listen.")
                    String clientAddress,
            @Mixin AuditReason reason)
            throws IOException {
        Map<String, String> query = new LinkedHashMap<>();
        query.put("node", node);
        query.put("zone", zone);
        query.put("cluster_address", clusterAddress);
        query.put("client_address", clientAddress);
        return change(http, "add", query, reason, "node " + node + " is in the cluster");
    }

    @Command(
            name = "remove-node",
            description =
                    "Takes a node out of the cluster; not the leader, and not when the rest could not agree any more.")
    int removeNode(
            @Mixin HttpOptions http,
            @Parameters(paramLabel = "NODE", description = "Its node-id.") String node,
            @Mixin AuditReason reason)
            throws IOException {
        return change(http, "remove", Map.of("node", node), reason, "node " + node + " is out of the cluster");
    }

    @Command(name = "transfer-leader", description = "Hands the leadership to another voter, once it has all entries.")
    int transferLeader(
            @Mixin HttpOptions http,
            @Parameters(paramLabel = "NODE", description = "Its node-id.") String node,
            @Mixin AuditReason reason)
            throws IOException {
        return change(http, "transfer", Map.of("node", node), reason, "node " + node + " leads");
    }

    @Command(
            name = "promote-listener",
            description = "Lets a listener vote, also when its zone has a voter or no seat is free.")
    int promoteListener(
            @Mixin HttpOptions http,
            @Parameters(paramLabel = "NODE", description = "Its node-id.") String node,
            @Mixin AuditReason reason)
            throws IOException {
        return change(http, "promote", Map.of("node", node), reason, "node " + node + " votes");
    }

    private int change(HttpOptions http, String change, Map<String, String> query, AuditReason reason, String done)
            throws IOException {
        Map<String, @Nullable Object> answer =
                http.client().post("/cluster/" + change, reason.with(query), http.timeout(CHANGE_TIMEOUT));
        if (http.json()) {
            console.json(json -> {
                json.writeStartObject();
                json.writeStringField("done", AdminClient.text(answer, "done"));
                json.writeStringField("node", AdminClient.text(answer, "node"));
                json.writeEndObject();
            });
        } else {
            console.line(done);
        }
        return ExitCode.OK;
    }
}
