package io.spillway.broker.diagnose;

/**
 * One consumer of a group.
 *
 * @param standing how it is: READY, DEGRADED, CRITICAL, DRAINING, EJECTED or PROBING
 * @param why that is so; empty when it is well
 * @param isOut it gets nothing for its health
 * @param isActive it gets records, as all do but those that stand by
 * @param isPaused it asked for nothing more for now
 * @param isBlocked its connection takes no more
 * @param creditBatches batches it may still be sent
 * @param creditBytes bytes it may still be sent
 * @param unacked records it holds
 * @param maxUnacked how many it may hold
 * @param hasWork records are ready that may go to it, and in a KEY_ORDERED group to no other
 * @param stateSinceMs since when its health is what it is; 0 = not known
 */
public record MemberFacts(
        long id,
        String name,
        String standing,
        String why,
        boolean isOut,
        boolean isActive,
        boolean isPaused,
        boolean isBlocked,
        long creditBatches,
        long creditBytes,
        int unacked,
        int maxUnacked,
        boolean hasWork,
        long stateSinceMs) {

    /** Its name, or its number when it has none. */
    public String shown() {
        return name.isEmpty() ? "#" + id : name;
    }

    /** Why it can be given nothing, or DELIVERING. */
    Cause stop() {
        if (isOut) {
            return Cause.ALL_UNHEALTHY;
        }
        if (isBlocked) {
            return Cause.CONNECTION_FULL;
        }
        if (isPaused) {
            return Cause.MEMBERS_PAUSED;
        }
        if (unacked >= maxUnacked) {
            return Cause.MEMBERS_FULL;
        }
        return creditBatches <= 0 || creditBytes <= 0 ? Cause.NO_CREDIT : Cause.DELIVERING;
    }

    /** What is measured of that, against what. */
    String measured(Cause stop) {
        return switch (stop) {
            case ALL_UNHEALTHY -> shown() + " is " + standing + (why.isEmpty() ? "" : ": " + why);
            case CONNECTION_FULL -> shown() + " has not read what was sent to it";
            case MEMBERS_PAUSED -> shown() + " has paused itself";
            case MEMBERS_FULL -> shown() + " holds " + unacked + " records of " + maxUnacked + " it may hold";
            case NO_CREDIT ->
                shown() + " may be sent " + Math.max(0, creditBatches) + " batches and " + Math.max(0, creditBytes)
                        + " bytes more, and holds " + unacked + " records";
            default -> shown() + " can take more";
        };
    }
}
