package io.spillway.broker.diagnose;

import io.spillway.broker.diagnose.ClusterFacts.Node;
import java.util.ArrayList;
import java.util.List;

/** What is with a cluster. */
public final class ClusterDecision {
    private ClusterDecision() {}

    /** All that is wrong with it, the worst first; WELL alone when nothing is. */
    public static List<Diagnosis> of(ClusterFacts facts) {
        List<Diagnosis> all = new ArrayList<>();
        if (facts.leader().isEmpty()) {
            all.add(
                    about(
                            Cause.NO_LEADER,
                            majority(facts) + " of " + facts.voters().size()
                                    + " voters must reach each other to elect one",
                            "if this lasts for more than a few seconds, start the voters that are down: spillway cluster status"));
        } else if (!facts.hasFigures()) {
            all.add(about(
                    Cause.NOT_LEADER,
                    "leader " + facts.leader() + " did not say how far the others are",
                    "ask again, or another node with --http"));
        } else {
            quorum(facts, all);
            facts.nodes().forEach(node -> node(node, all));
        }
        if (all.isEmpty()) {
            all.add(Diagnosis.well(
                    Subject.cluster(),
                    Cause.WELL,
                    "all of " + facts.voters().size() + " voters are reached by " + facts.leader()));
        }
        return all;
    }

    private static Diagnosis about(Cause cause, String why, String next) {
        return new Diagnosis(Subject.cluster(), cause, why, 0, next);
    }

    private static int majority(ClusterFacts facts) {
        return facts.voters().size() / 2 + 1;
    }

    private static void quorum(ClusterFacts facts, List<Diagnosis> all) {
        int voters = facts.voters().size();
        long reached = facts.voters().stream().filter(Node::isReached).count();
        String seen = facts.leader() + " reaches " + reached + " of " + voters + " voters, itself among them, and "
                + majority(facts) + " are needed";
        if (reached < majority(facts)) {
            all.add(about(
                    Cause.NO_QUORUM,
                    seen,
                    "start the voters that are down, or restore the network to them: " + "spillway cluster status"));
        } else if (voters > 1 && reached == majority(facts)) {
            all.add(about(
                    Cause.QUORUM_CRITICAL,
                    seen,
                    reached == voters
                            ? "start a node in a third zone, with --seed"
                            : "bring back the voters that are away"));
        }
    }

    private static void node(Node node, List<Diagnosis> all) {
        if (node.leads()) {
            return;
        }
        String who = node.id() + " in zone " + node.zone();
        if (!node.isReached()) {
            all.add(about(
                    Cause.NODE_AWAY,
                    who
                            + (node.contactMs() == ClusterFacts.UNKNOWN
                                    ? " was never heard of"
                                    : " was last heard of " + node.contactMs() + " ms ago (limit "
                                            + ClusterFacts.MAX_CONTACT_MS + " ms)"),
                    "start it, or restore the network to " + node.address()
                            + "; when it is gone for good: spillway cluster remove-node " + node.id()));
        } else if (node.lag() > ClusterFacts.MAX_LAG) {
            all.add(slow(who + " lacks " + node.lag() + " entries (limit " + ClusterFacts.MAX_LAG + ")"));
        } else if (node.lag() > 0 && node.lagMs() > ClusterFacts.MAX_LAG_MS) {
            all.add(slow(who + " has lacked something for " + node.lagMs() + " ms (limit " + ClusterFacts.MAX_LAG_MS
                    + " ms)"));
        }
    }

    private static Diagnosis slow(String why) {
        return about(
                Cause.REPLICA_SLOW,
                why,
                "see whether that falls: spillway cluster status; when it does not, look at its disk and its network");
    }
}
