package io.spillway.broker.cluster;

import io.spillway.broker.replication.ClusterStatus;

/** Notices that entries of this leader wait and nothing is agreed on any more. Confined to one thread. */
final class StalledCommit {
    /** So many looks in a row that see no progress. */
    static final int PATIENCE_LOOKS = 10;

    private static final long NONE = -1;

    private long commit = NONE;
    private int looks;

    /** Called every now and then; whether nothing has moved for long. */
    boolean look(ClusterStatus status) {
        boolean waits = status.isLeading() && status.last() > status.commit();
        looks = waits && status.commit() == commit ? looks + 1 : 0;
        commit = status.commit();
        return looks >= PATIENCE_LOOKS;
    }
}
