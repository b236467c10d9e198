package io.spillway.broker.cli;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** How links are shown. */
final class LinkTables {
    private LinkTables() {}

    static String list(LinkReport report) {
        Table table = new Table("LINK", "STATE", "FROM", "TOPICS", "LAG", "NOT WELL");
        for (LinkReport.Link link : report.links()) {
            table.row(
                    link.name(),
                    link.state(),
                    link.source().isEmpty() ? link.from() : link.source(),
                    link.patterns(),
                    link.lagRecords(),
                    troubles(link).isEmpty() ? "-" : troubles(link).get(0));
        }
        return table.toString();
    }

    static String status(LinkReport.Link link) {
        StringBuilder text = new StringBuilder()
                .append("link:   ")
                .append(link.name())
                .append(", ")
                .append(link.state())
                .append(link.forced() ? " by force" : "")
                .append("\nfrom:   ")
                .append(link.from())
                .append(link.source().isEmpty() ? ", not connected" : ", connected to " + link.source())
                .append("\ntopics: ")
                .append(link.patterns())
                .append("\n\n");
        if (link.isPromoted()) {
            return text.append(promoted(link)).append(advice(link)).toString();
        }
        Table table = new Table("TOPIC", "PARTITION", "SOURCE END", "HERE", "LAG", "LAG TIME", "UNREADABLE");
        for (LinkReport.Topic topic : link.topics()) {
            for (LinkReport.Partition partition : topic.partitions()) {
                table.row(
                        topic.name(),
                        partition.partition(),
                        partition.sourceEnd() < 0 ? "-" : partition.sourceEnd(),
                        partition.end(),
                        partition.sourceEnd() < 0 ? "-" : partition.lagRecords(),
                        partition.sourceEnd() < 0 ? "-" : ClusterTables.seconds(partition.lagMs()),
                        partition.unreadable());
            }
        }
        return text.append(table).append(advice(link)).toString();
    }

    private static String advice(LinkReport.Link link) {
        List<String> troubles = troubles(link);
        return troubles.isEmpty() ? "" : "\n\n" + String.join("\n", troubles);
    }

    private static List<String> troubles(LinkReport.Link link) {
        List<String> troubles = new ArrayList<>();
        if (!link.why().isEmpty()) {
            troubles.add(link.why());
        }
        for (LinkReport.Topic topic : link.topics()) {
            if (!topic.why().isEmpty()) {
                troubles.add(topic.name() + ": " + topic.why());
            }
        }
        return troubles;
    }

    /** What a promotion has brought: each partition, and what the old source had beyond it. */
    static String promoted(LinkReport.Link link) {
        Table table = new Table("TOPIC", "PARTITION", "COPIED TO", "SOURCE HAD", "NOT COPIED");
        for (LinkReport.Promoted part : link.promoted()) {
            boolean known = part.sourceHad() >= 0;
            table.row(
                    part.topic(),
                    part.partition(),
                    part.copiedTo(),
                    known ? part.sourceHad() : "-",
                    !known
                            ? "not known yet"
                            : part.sourceHad() <= part.copiedTo()
                                    ? "none"
                                    : String.format(
                                            Locale.ROOT, "offsets %d to %d", part.copiedTo(), part.sourceHad() - 1));
        }
        return table + "\n\nthe topics live here; the old source "
                + (link.sourceFenced()
                        ? "is fenced"
                        : "is not fenced yet: it may still take publishes; it is told when it can be reached");
    }
}
