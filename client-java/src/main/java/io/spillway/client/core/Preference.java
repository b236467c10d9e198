package io.spillway.client.core;

/**
 * Which endpoints are preferred.
 *
 * @param zone where the client runs; empty = no preference
 * @param nearest it only reads, which nodes of a cluster that follow serve, too: the nearest is preferred, not the leader
 */
public record Preference(String zone, boolean nearest) {
    private static final long HOME_AFTER_MS = 60_000;
    private static final long HOME_SPREAD_MS = 30_000;
    private static final long NEAREST_AFTER_MS = 5_000;
    private static final long NEAREST_SPREAD_MS = 5_000;

    boolean isHome(Candidate candidate) {
        return candidate.zone.equals(zone);
    }

    /** Where it is, it is not to stay for ever. A leader is where it is. */
    boolean isAway(Candidate active) {
        return (nearest || !active.clustered) && !zone.isEmpty() && !isHome(active);
    }

    /** When who is away looks for those at home. A reader goes at once to one that it has just heard of. */
    long lookAfterMs(Iterable<Candidate> known, int r) {
        if (!nearest) {
            return HOME_AFTER_MS + Backoff.scaled(HOME_SPREAD_MS, r);
        }
        for (Candidate candidate : known) {
            if (isHome(candidate) && !candidate.dialed) {
                return 0;
            }
        }
        return NEAREST_AFTER_MS + Backoff.scaled(NEAREST_SPREAD_MS, r);
    }
}
