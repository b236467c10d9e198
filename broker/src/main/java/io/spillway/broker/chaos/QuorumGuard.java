package io.spillway.broker.chaos;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;

/**
 * Says whether a cluster could still agree with the faults it has and one more: whether some voter that is well reaches, with
 * itself, a majority of voters that are well.
 */
public final class QuorumGuard {
    private final List<String> voters;
    private final Set<String> lost = new TreeSet<>();
    private final Set<Cut> cuts = new HashSet<>();

    private record Cut(String one, String other) {
        static Cut of(String one, String other) {
            return one.compareTo(other) < 0 ? new Cut(one, other) : new Cut(other, one);
        }
    }

    /**
     * @param voters ids of all of them
     * @param faults by node what is injected there; of a node that does not answer nothing is here, and it counts as lost
     */
    public QuorumGuard(List<String> voters, Map<String, List<Fault>> faults) {
        this.voters = List.copyOf(voters);
        for (String voter : voters) {
            List<Fault> known = faults.get(voter);
            if (known == null) {
                lost.add(voter);
            } else {
                known.forEach(fault -> add(voter, fault.what()));
            }
        }
    }

    private void add(String node, Fault.Plan what) {
        if (what.isHarmToNode()) {
            lost.add(node);
        }
        what.scope().peers().forEach(peer -> cuts.add(Cut.of(node, peer)));
    }

    /** Whether a majority could be lost by it at all. */
    public static boolean concerns(Fault.Plan what) {
        return what.kind() == FaultKind.PARTITION || what.isHarmToNode();
    }

    /** Why it must not be injected there; empty when a majority remains. */
    public String refusal(String node, Fault.Plan what) {
        add(node, what);
        int majority = voters.size() / 2 + 1;
        int best = 0;
        for (String leader : voters) {
            best = Math.max(best, lost.contains(leader) ? 0 : reachedBy(leader));
        }
        if (best >= majority) {
            return "";
        }
        List<String> why = new ArrayList<>();
        if (!lost.isEmpty()) {
            why.add("not counted on: " + String.join(", ", lost));
        }
        if (!cuts.isEmpty()) {
            Set<String> shown = new TreeSet<>();
            cuts.forEach(cut -> shown.add(cut.one + "-" + cut.other));
            why.add("cut: " + String.join(", ", shown));
        }
        return "with it no node would reach more than " + best + " of " + voters.size()
                + " voters, itself among them, and " + majority + " are needed (" + String.join("; ", why) + ")";
    }

    private int reachedBy(String leader) {
        int reached = 0;
        for (String voter : voters) {
            boolean hears = voter.equals(leader) || !cuts.contains(Cut.of(leader, voter));
            reached += !lost.contains(voter) && hears ? 1 : 0;
        }
        return reached;
    }
}
