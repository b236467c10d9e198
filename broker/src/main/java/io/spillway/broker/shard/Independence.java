package io.spillway.broker.shard;

import io.spillway.broker.records.StateRecords;

/**
 * What the copy of a log ends with that left its cluster: from there on nothing is agreed on, so that a broker that stands alone
 * goes on with it, or a new cluster begins with it, as with a log that was never in one.
 */
public final class Independence {
    private Independence() {}

    /** The state section of an entry that says so. */
    public static byte[] record() {
        return StateRecords.newBuilder()
                .setAgreed(ShardState.NOTHING_AGREED)
                .build()
                .toByteArray();
    }
}
