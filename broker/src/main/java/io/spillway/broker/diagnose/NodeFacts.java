package io.spillway.broker.diagnose;

import io.spillway.broker.chaos.Fault;
import java.util.List;

/**
 * What a node says of itself.
 *
 * @param leader the id of who leads the cluster, when that is another; else empty
 * @param leaderPlace where clients reach that node
 * @param troubles what keeps it from its work, the worst first
 * @param quarantine directories of damaged files that wait for an operator
 * @param expiredToggles toggles that hold although their time is over
 * @param faults that are injected for a rehearsal
 * @param canary since when, and why, the canary does not come back; empty when it does, or there is none
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
        int shedClassMin,
        List<Fault> faults,
        String canary) {
    /** One thing that is not as it should be: where, why, what to do next. */
    public record Trouble(Cause cause, String component, String why, String next) {}

    public NodeFacts {
        troubles = List.copyOf(troubles);
        quarantine = List.copyOf(quarantine);
        pressures = List.copyOf(pressures);
        debts = List.copyOf(debts);
        faults = List.copyOf(faults);
    }

    /** Without faults and a canary. */
    public NodeFacts(
            String node,
            String leader,
            String leaderPlace,
            List<Trouble> troubles,
            List<String> quarantine,
            long expiredToggles,
            List<Surroundings.Pressure> pressures,
            List<Surroundings.Debt> debts,
            int shedClassMin) {
        this(
                node,
                leader,
                leaderPlace,
                troubles,
                quarantine,
                expiredToggles,
                pressures,
                debts,
                shedClassMin,
                List.of(),
                "");
    }
}
