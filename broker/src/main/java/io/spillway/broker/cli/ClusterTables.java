package io.spillway.broker.cli;

import com.fasterxml.jackson.core.JsonGenerator;
import io.spillway.broker.cli.ClusterReport.Node;
import java.io.IOException;
import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;

/** How a cluster is shown. */
final class ClusterTables {
    private ClusterTables() {}

    static String status(ClusterReport report) {
        StringBuilder text = new StringBuilder()
                .append("cluster: ")
                .append(report.cluster())
                .append(report.id().isEmpty() ? "" : ", id " + report.id())
                .append("\nleader:  ")
                .append(report.hasLeader() ? report.leader() : "none")
                .append(", term ")
                .append(report.term())
                .append("\nentries: ")
                .append(report.commit())
                .append(" agreed, ")
                .append(report.applied())
                .append(" applied, at ")
                .append(report.node())
                .append("\nvoters:  ")
                .append(report.voters().size())
                .append(", ")
                .append(report.majority())
                .append(" must agree\n\n");
        Table table = new Table("NODE", "ZONE", "ROLE", "LAG", "LAST CONTACT", "CLIENTS", "NODES");
        for (Node node : report.nodes()) {
            table.row(
                    node.id(),
                    node.zone(),
                    node.leads() ? "leader" : node.votes() ? "voter" : "listener",
                    figure(node.lag()),
                    node.leads() ? "-" : seconds(node.contactMs()),
                    node.clientAddress(),
                    node.clusterAddress());
        }
        text.append(table);
        List<String> advice = ClusterAdvice.of(report);
        if (!advice.isEmpty()) {
            text.append("\n\n").append(String.join("\n", advice));
        }
        return text.toString();
    }

    private static String figure(long value) {
        return value == ClusterReport.UNKNOWN ? "-" : Long.toString(value);
    }

    static String seconds(long ms) {
        return ms == ClusterReport.UNKNOWN ? "-" : String.format(Locale.ROOT, "%.1f s", ms / 1e3);
    }

    static void writeJson(ClusterReport report, JsonGenerator json) throws IOException {
        json.writeStartObject();
        json.writeStringField("cluster", report.cluster());
        string(json, "cluster_id", report.id());
        json.writeStringField("node", report.node());
        json.writeNumberField("term", report.term());
        string(json, "leader", report.leader());
        json.writeNumberField("commit", report.commit());
        json.writeNumberField("applied", report.applied());
        string(json, "stopped", report.stopped());
        string(json, "stopped_next", report.stoppedNext());
        string(json, "returning", report.returning());
        string(json, "behind", report.behind());
        json.writeArrayFieldStart("quarantine");
        for (String directory : report.quarantine()) {
            json.writeString(directory);
        }
        json.writeEndArray();
        string(json, "figures_from", report.figuresFrom());
        json.writeArrayFieldStart("nodes");
        for (Node node : report.nodes()) {
            json.writeStartObject();
            json.writeStringField("node", node.id());
            json.writeStringField("zone", node.zone());
            json.writeStringField("role", node.votes() ? "VOTER" : "LISTENER");
            json.writeBooleanField("leader", node.leads());
            json.writeStringField("cluster_address", node.clusterAddress());
            json.writeStringField("client_address", node.clientAddress());
            number(json, "lag_entries", node.lag());
            number(json, "lag_ms", node.lagMs());
            number(json, "last_contact_ms", node.contactMs());
            json.writeEndObject();
        }
        json.writeEndArray();
        json.writeArrayFieldStart("warnings");
        for (String line : ClusterAdvice.of(report)) {
            json.writeString(line);
        }
        json.writeEndArray();
        json.writeEndObject();
    }

    private static void string(JsonGenerator json, String name, String value) throws IOException {
        if (value.isEmpty()) {
            json.writeNullField(name);
        } else {
            json.writeStringField(name, value);
        }
    }

    private static void number(JsonGenerator json, String name, long value) throws IOException {
        if (value == ClusterReport.UNKNOWN) {
            json.writeNullField(name);
        } else {
            json.writeNumberField(name, value);
        }
    }

    /** What is in one zone. */
    private record Zone(String name, List<Node> nodes) {
        List<String> ids(boolean voting) {
            return nodes.stream()
                    .filter(node -> node.votes() == voting)
                    .map(Node::id)
                    .toList();
        }

        boolean leads() {
            return nodes.stream().anyMatch(Node::leads);
        }

        /** For how long its most advanced node has lacked something. */
        long lagMs() {
            return nodes.stream()
                    .mapToLong(Node::lagMs)
                    .filter(ms -> ms != ClusterReport.UNKNOWN)
                    .min()
                    .orElse(ClusterReport.UNKNOWN);
        }

        long maxLag() {
            return nodes.stream().mapToLong(Node::lag).max().orElse(ClusterReport.UNKNOWN);
        }
    }

    private static List<Zone> zones(ClusterReport report) {
        Stream<String> names =
                report.nodes().stream().map(Node::zone).distinct().sorted();
        return names.map(name -> new Zone(
                        name,
                        report.nodes().stream()
                                .filter(node -> node.zone().equals(name))
                                .toList()))
                .toList();
    }

    static String zoneTable(ClusterReport report) {
        Table table = new Table("ZONE", "VOTERS", "LISTENERS", "LEADER", "BEHIND", "MAX LAG", "WITHOUT IT");
        for (Zone zone : zones(report)) {
            table.row(
                    zone.name(),
                    names(zone.ids(true)),
                    names(zone.ids(false)),
                    zone.leads() ? report.leader() : "-",
                    seconds(zone.lagMs()),
                    figure(zone.maxLag()),
                    report.outlives(zone.name()) ? "goes on" : "stops");
        }
        return table.toString();
    }

    private static String names(List<String> ids) {
        return ids.isEmpty() ? "-" : String.join(",", ids);
    }

    /** One document a zone. */
    static void writeZones(ClusterReport report, Console console) throws IOException {
        for (Zone zone : zones(report)) {
            console.json(json -> {
                json.writeStartObject();
                json.writeStringField("zone", zone.name());
                strings(json, "voters", zone.ids(true));
                strings(json, "listeners", zone.ids(false));
                json.writeBooleanField("leader", zone.leads());
                number(json, "lag_ms", zone.lagMs());
                number(json, "max_lag_entries", zone.maxLag());
                json.writeBooleanField("goes_on_without", report.outlives(zone.name()));
                json.writeEndObject();
            });
        }
    }

    private static void strings(JsonGenerator json, String name, List<String> values) throws IOException {
        json.writeArrayFieldStart(name);
        for (String value : values) {
            json.writeString(value);
        }
        json.writeEndArray();
    }
}
