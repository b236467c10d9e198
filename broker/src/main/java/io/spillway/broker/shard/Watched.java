package io.spillway.broker.shard;

import io.spillway.broker.diagnose.Cause;
import io.spillway.broker.diagnose.GroupFacts;

/** What {@link DispatchWatch} saw of a group last. Confined to the shard thread. */
final class Watched {
    /** Between two looks more time counts for nothing: nobody looked. */
    private static final long MOST_MS = 10_000;

    Cause cause = Cause.CAUGHT_UP;
    /** Since when it has been that; 0 = nobody has looked yet. */
    private long sinceMs;
    /** When it was looked at. */
    private long lookedMs;
    /** How far it was then, and since when that has been so although more could be delivered. */
    private long progress = -1;

    private long stillSinceMs;
    long backlog;
    long inFlight;

    /** So far it is now. */
    void move(long progressNow, long nowMs) {
        if (progress != progressNow || !couldDeliver()) {
            stillSinceMs = nowMs;
        }
        progress = progressNow;
    }

    private boolean couldDeliver() {
        return cause == Cause.DELIVERING || cause == Cause.STALLED;
    }

    /** The cause is this now; for how long it has been, if it is the one of the last look. */
    long look(Cause now, long nowMs) {
        boolean isSame = now == cause && sinceMs != 0;
        long elapsedMs = isSame ? Math.min(nowMs - lookedMs, MOST_MS) : 0;
        if (!isSame) {
            cause = now;
            sinceMs = nowMs;
        }
        lookedMs = nowMs;
        return elapsedMs;
    }

    GroupFacts.Seen seen(long progressNow, long nowMs) {
        boolean isStill = couldDeliver() && progress == progressNow;
        return new GroupFacts.Seen(cause, sinceMs, isStill ? nowMs - stillSinceMs : 0);
    }
}
