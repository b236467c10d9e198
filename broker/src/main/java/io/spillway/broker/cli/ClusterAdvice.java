package io.spillway.broker.cli;

import io.spillway.broker.cli.ClusterReport.Node;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;

/** What is not well in a cluster and what to do next, a line each. */
final class ClusterAdvice {
    private final ClusterReport report;
    private final List<String> lines = new ArrayList<>();

    private ClusterAdvice(ClusterReport report) {
        this.report = report;
    }

    static List<String> of(ClusterReport report) {
        ClusterAdvice advice = new ClusterAdvice(report);
        if (!report.stopped().isEmpty()) {
            advice.stopped();
        } else if (!report.hasLeader()) {
            advice.noLeader();
        } else if (!report.hasFigures()) {
            advice.add(
                    "how far the others are is not known: leader " + report.leader() + " did not answer "
                            + report.node(),
                    "ask again, or another node with --http");
        } else {
            advice.quorum();
            report.nodes().forEach(advice::node);
        }
        advice.repairs();
        return advice.lines;
    }

    private void repairs() {
        if (!report.returning().isEmpty()) {
            add(
                    report.node() + " does not do its part now: " + report.returning(),
                    "wait: it gets what it lacks from the leader; see its log if it does not");
        }
        if (!report.behind().isEmpty()) {
            add(
                    report.node() + " does not take up what the cluster agrees on: " + report.behind(),
                    "see its log and its disk; restart it; if that does not help, give it an empty data directory and its"
                            + " seeds");
        }
        if (!report.quarantine().isEmpty()) {
            add(
                    report.node() + " keeps damaged files in " + String.join(", ", report.quarantine()),
                    "look for the cause (its log, the disk), then delete them");
        }
    }

    private void add(String what, String next) {
        lines.add(what + "; next: " + next);
    }

    private void stopped() {
        add(
                report.node() + " takes no part any more, and knows only how it was before: " + report.stopped(),
                (report.stoppedNext().isEmpty()
                                ? "see its log and restart it, unless it was removed"
                                : report.stoppedNext())
                        + "; ask another node with --http");
    }

    private void noLeader() {
        List<Node> voters = report.voters();
        if (voters.isEmpty()) {
            add(
                    report.node() + " has not joined a cluster yet",
                    "see in its log why, and check its seed; the nodes of the cluster must be up");
            return;
        }
        if (report.nodes().stream().noneMatch(node -> node.id().equals(report.node()))) {
            add(
                    report.node() + " is not in the cluster: it was removed, or waits to be admitted",
                    "ask another node with --http; to take it in again: spillway cluster add-node " + report.node());
            return;
        }
        String names = voters.stream()
                .map(voter -> voter.id() + " (zone " + voter.zone() + ", " + voter.clusterAddress() + ")")
                .collect(Collectors.joining(", "));
        add(
                "no leader: the quorum is lost, or an election is under way; " + report.majority() + " of these "
                        + voters.size() + " voters must reach each other: " + names,
                "if this lasts for more than a few seconds, start those that are down, with their data directories, and "
                        + "check the network between these addresses");
    }

    private void quorum() {
        List<Node> voters = report.voters();
        long reached = voters.stream().filter(Node::isReached).count();
        if (reached < report.majority()) {
            add(
                    "the quorum is lost: leader " + report.leader() + " reaches " + reached + " of " + voters.size()
                            + " voters, itself among them, and " + report.majority()
                            + " are needed; nothing is acked",
                    "start the voters that are down, or restore the network to them");
        } else if (voters.size() == 1) {
            add("one voter: what it acks is on one disk", "start nodes in other zones, with --seed");
        } else if (reached == report.majority()) {
            add(
                    (reached == voters.size() ? "" : reached + " of " + voters.size() + " voters are reached: ")
                            + "the loss of one more voter stops the cluster",
                    voters.size() == 2
                            ? "start a node in a third zone"
                            : "bring back the voters that are out of reach");
        }
    }

    private void node(Node node) {
        if (node.leads()) {
            return;
        }
        List<String> faults = new ArrayList<>();
        if (node.lag() > ClusterReport.MAX_LAG) {
            faults.add("lacks " + node.lag() + " entries");
        } else if (node.lag() > 0 && node.lagMs() > ClusterReport.MAX_LAG_MS) {
            faults.add("has lacked something for " + ClusterTables.seconds(node.lagMs()));
        }
        if (!node.isReached()) {
            faults.add(
                    node.contactMs() == ClusterReport.UNKNOWN
                            ? "was never heard of"
                            : "was last heard of " + ClusterTables.seconds(node.contactMs()) + " ago");
        }
        if (!faults.isEmpty()) {
            add(
                    "slow: " + node.id() + " in zone " + node.zone() + " " + String.join(", ", faults),
                    node.isReached()
                            ? "see whether that falls; if not, look at its disk and its network"
                            : "start it, or restore the network to " + node.clusterAddress()
                                    + "; if it is gone for good: spillway cluster remove-node " + node.id());
        }
    }
}
