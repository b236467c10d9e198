package io.spillway.broker.cluster;

import io.spillway.broker.records.Agreed;
import io.spillway.broker.replication.RaftDirectory;
import java.util.List;

/**
 * What the directory of a node allows it to do when it starts.
 *
 * @param start how it comes back
 * @param reason in a word or two; empty when nothing is wrong
 * @param why what was found
 * @param isLogLost the shard's log has to be put aside
 * @param isVoteLost the cluster's log has to be put aside, or is gone: what this node promised is not known any more
 */
public record Diagnosis(Start start, String reason, String why, boolean isLogLost, boolean isVoteLost) {
    /** How a node takes its place in the cluster. */
    public enum Start {
        /** With what it has; an empty one forms a cluster, or asks for admission. */
        AS_IT_IS,
        /**
         * With its part in the cluster's log, and with another node's copy of the shard's log. It takes no part until it has
         * that: it could be elected, and have nothing.
         */
        WITH_A_COPY,
        /**
         * As a new node. It has lost what it voted for and what it confirmed to hold, or never had anything, which nobody can
         * tell apart. The others must not count on it: it is taken out of the cluster before it takes part in anything.
         */
        AS_A_NEW_NODE
    }

    /**
     * @param raft what is on the disk of the cluster's log
     * @param agreed where the agreement stands in the shard's log
     * @param isInstalled the shard's log came from another node, and may be ahead of the cluster's log here
     * @param losses what the shard's log lacks
     * @param hasOthers whether other nodes are known
     */
    public static Diagnosis of(
            RaftDirectory.Found raft, Agreed agreed, boolean isInstalled, List<String> losses, boolean hasOthers) {
        boolean isLogLost = !losses.isEmpty();
        boolean wasMember = raft.exists() || agreed.getIndex() >= 0;
        if (!wasMember && !hasOthers) {
            return new Diagnosis(Start.AS_IT_IS, "", "", false, false);
        }
        if (!raft.damage().isEmpty()) {
            return new Diagnosis(Start.AS_A_NEW_NODE, "cluster log damaged", raft.damage(), isLogLost, true);
        }
        if (!raft.exists()) {
            String why = wasMember ? "the directory raft is missing" : "";
            return new Diagnosis(Start.AS_A_NEW_NODE, wasMember ? "cluster log missing" : "", why, isLogLost, true);
        }
        if (raft.last() >= 0 && raft.last() < agreed.getIndex() && !isInstalled) {
            return new Diagnosis(
                    Start.AS_A_NEW_NODE,
                    "cluster log too short",
                    "the cluster's log ends with entry " + raft.last() + ", and entry " + agreed.getIndex()
                            + " was agreed on here",
                    isLogLost,
                    true);
        }
        if (isLogLost) {
            return new Diagnosis(Start.WITH_A_COPY, word(losses.get(0)), String.join("; ", losses), true, false);
        }
        boolean isGap = raft.last() >= 0
                ? raft.first() > agreed.getIndex() + 1
                : agreed.getIndex() < 0 && !raft.members().isEmpty();
        if (isGap) {
            return new Diagnosis(
                    Start.WITH_A_COPY,
                    "log missing or too old",
                    "the log here ends with entry " + agreed.getIndex()
                            + " of the cluster, and the cluster's log begins at " + raft.first(),
                    agreed.getIndex() >= 0,
                    false);
        }
        return new Diagnosis(Start.AS_IT_IS, "", "", false, false);
    }

    /** Whether this node was in the cluster and has lost something. */
    boolean isLoss() {
        return !reason.isEmpty();
    }

    private static String word(String loss) {
        int end = loss.indexOf(':');
        return end < 0 ? loss : loss.substring(0, end);
    }
}
