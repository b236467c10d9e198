package io.spillway.client.core;

import java.util.ArrayDeque;
import java.util.Collection;
import java.util.Deque;
import java.util.HashSet;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** One round of the endpoints: which are still to be tried, and what those that were tried have said. Not thread-safe. */
final class Round {
    private static final int MAX_REDIRECTS = 3;

    private final Deque<Candidate> rest = new ArrayDeque<>();
    private final Set<Candidate> unreachable = new HashSet<>();
    private int redirects;
    private boolean seenFollower;
    private long retryAfterMs;

    void begin(Collection<Candidate> order) {
        rest.clear();
        rest.addAll(order);
        unreachable.clear();
        redirects = 0;
        seenFollower = false;
        retryAfterMs = 0;
    }

    @Nullable
    Candidate poll() {
        return rest.poll();
    }

    boolean isOver() {
        return rest.isEmpty();
    }

    /** It is tried out of its turn. */
    void remove(Candidate candidate) {
        rest.remove(candidate);
    }

    void failed(Candidate candidate) {
        unreachable.add(candidate);
    }

    /** A node says that another leads. Whether it is to be believed: not for ever, and not when that one was just not there. */
    boolean mayFollow(Candidate to) {
        if (redirects == MAX_REDIRECTS || unreachable.contains(to)) {
            return false;
        }
        redirects++;
        return true;
    }

    /** A node is well, but does not lead. */
    void sawFollower(long newRetryAfterMs) {
        seenFollower = true;
        retryAfterMs = Math.max(retryAfterMs, newRetryAfterMs);
    }

    boolean hasSeenFollower() {
        return seenFollower;
    }

    /** The longest pause a node has asked for. */
    long retryAfterMs() {
        return retryAfterMs;
    }
}
