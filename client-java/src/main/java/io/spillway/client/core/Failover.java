package io.spillway.client.core;

import java.util.Comparator;
import java.util.List;

/**
 * In which order endpoints are tried. First those whose breaker is closed, then those that do not leave, then by pressure, then
 * the own zone before an unknown one before another, for a reader of the nearest then the leader last; equals stay in the order in which they were given. Blocked ones and open
 * breakers are left out, unless more than half of the breakers are open: then the fault is probably on this side, breakers
 * are ignored, and what failed longest ago comes first (Envoy's panic threshold). Driven by vectors/failover.json.
 */
public final class Failover {
    private Failover() {}

    /** Whether more than half of the breakers are open. */
    static boolean isPanic(List<Candidate> candidates, long nowMs) {
        long open = candidates.stream().filter(c -> c.breaker.isOpen(nowMs)).count();
        return open * 2 > candidates.size();
    }

    /** The candidates to try, best first. */
    public static List<Candidate> order(List<Candidate> candidates, Preference preference, long nowMs) {
        boolean panic = isPanic(candidates, nowMs);
        Comparator<Candidate> best = panic
                ? Comparator.comparingLong(c -> c.failedMs)
                : Comparator.<Candidate>comparingInt(c -> c.breaker.state() == Breaker.State.CLOSED ? 0 : 1)
                        .thenComparing(c -> c.isDraining(nowMs))
                        .thenComparing(c -> c.pressure)
                        .thenComparingInt(c -> distance(c, preference.zone()))
                        .thenComparing(c -> preference.nearest() && c.leads);
        return candidates.stream()
                .filter(c -> !c.isBlocked(nowMs) && (panic || !c.breaker.isOpen(nowMs)))
                .sorted(best)
                .toList();
    }

    private static int distance(Candidate candidate, String ownZone) {
        if (ownZone.isEmpty() || candidate.zone.equals(ownZone)) {
            return 0;
        }
        return candidate.zone.isEmpty() ? 1 : 2;
    }
}
