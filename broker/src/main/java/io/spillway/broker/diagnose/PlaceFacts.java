package io.spillway.broker.diagnose;

import org.jspecify.annotations.Nullable;

/**
 * A group's place in one partition.
 *
 * @param backlog records that are visible and not settled
 * @param inFlight of these, what consumers hold, or have just settled
 * @param waitingRetry of these, what was delivered before and is to come again
 * @param scheduled of these, what is held back until a time of its own
 * @param keyBlocked of these, what waits for one before it with the same key
 * @param nextMs when the next of those that wait is due; the largest long when none is
 * @param isReady something could be delivered now
 * @param unsettled records that were begun and not settled, of which there may be {@code window}
 * @param hidden records behind these that are not durable yet
 * @param isHalted the next ones cannot be read
 * @param blocker who holds what the others wait for; null when nobody does, or nobody looked
 */
public record PlaceFacts(
        int partition,
        long backlog,
        long inFlight,
        long waitingRetry,
        long scheduled,
        long keyBlocked,
        long nextMs,
        boolean isReady,
        long unsettled,
        long window,
        long hidden,
        boolean isHalted,
        @Nullable Blocker blocker) {
    /** A record that is leased, and others of its key wait behind it. */
    public record Blocker(long offset, String member, long sinceMs, long deadlineMs, int attempt) {}
}
