package io.spillway.broker.diagnose;

import java.util.List;

/**
 * What a node says of itself.
 *
 * @param leader the id of who leads the cluster, when that is another; else empty
 * @param leaderPlace where clients reach that node
 * @param troubles what keeps it from its work, the worst first
 * @param quarantine directories of damaged files that wait for an operator
 * @param expiredToggles toggles that hold although their time is over
 */
public record NodeFacts(
        String node,
        String leader,
        String leaderPlace,
        List<Trouble> troubles,
        List<String> quarantine,
        long expiredToggles,
        List<Surroundings.Pressure> pressures,
        List<Surroundings.Debt> debts,
        int shedClassMin) {
    /** One thing that is not as it should be: where, why, what to do next. */
    public record Trouble(Cause cause, String component, String why, String next) {}

    public NodeFacts {
        troubles = List.copyOf(troubles);
        quarantine = List.copyOf(quarantine);
        pressures = List.copyOf(pressures);
        debts = List.copyOf(debts);
    }
}
