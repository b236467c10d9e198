package io.spillway.broker.shard;

import io.spillway.broker.records.FailedRange;
import io.spillway.broker.subscription.SubscriptionState;

/** Failures as the log keeps them. */
final class FailedRanges {
    private FailedRanges() {}

    static FailedRange of(long from, long to, int failures, long dueMs, int... failedBy) {
        FailedRange.Builder range = FailedRange.newBuilder()
                .setFrom(from)
                .setTo(to)
                .setFailures(failures)
                .setDueMs(dueMs);
        for (int member : failedBy) {
            range.addFailedBy(member);
        }
        return range.build();
    }

    static void apply(FailedRange range, SubscriptionState state) {
        int[] failedBy = new int[range.getFailedByCount()];
        for (int i = 0; i < failedBy.length; i++) {
            failedBy[i] = range.getFailedBy(i);
        }
        state.applyFailed(range.getFrom(), range.getTo(), range.getFailures(), range.getDueMs(), failedBy);
    }
}
