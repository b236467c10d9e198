package io.spillway.broker.shard;

/**
 * Records of one partition that a group gives up, [from, to). Nobody holds them, and until they are settled nobody gets
 * them.
 *
 * @param attempts deliveries so far
 * @param failures those that failed
 * @param error the last reason given
 */
record DeadLetter(
        Group group, Group.Place place, long from, long to, Cause cause, int attempts, int failures, String error) {
    /** Why records are given up, by the names in their headers. */
    enum Cause {
        /** Failed as often as the group allows, the last time by a nack. */
        MAX_DELIVERIES,
        /** Failed as often as the group allows, the last time because a lease ran out. */
        LEASE_EXPIRED,
        /** Failed with so many different members that it is not for any of them. */
        MEMBERS_FAILED,
        /** A member says it will never succeed. */
        TERMINATED,
        /** A member could not read it. */
        POISON,
        /** Its time had come before it was delivered. */
        EXPIRED
    }

    DeadLetter because(Cause other) {
        return new DeadLetter(group, place, from, to, other, attempts, failures, error);
    }

    DeadLetter part(long first, long end) {
        return new DeadLetter(group, place, first, end, cause, attempts, failures, error);
    }
}
