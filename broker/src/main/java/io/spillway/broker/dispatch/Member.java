package io.spillway.broker.dispatch;

/**
 * One consumer of a group as dispatch sees it: its absolute credit (granted totals beside used totals) and how many
 * records it holds unsettled.
 *
 * <p>Bytes may be overdrawn by one batch: a member with one byte of credit left can take a batch of any size, so that a
 * batch larger than the granted window never deadlocks.
 *
 * <p>Confined to the shard thread.
 */
public final class Member {
    private final long id;
    private final int maxUnacked;

    private long grantedBatches;
    private long grantedBytes;
    private long usedBatches;
    private long usedBytes;
    private int unacked;
    private boolean paused;

    public Member(long id, int maxUnacked, long maxBatches, long maxBytes) {
        if (maxUnacked < 1) {
            throw new IllegalArgumentException(
                    "member " + id + " may hold " + maxUnacked + " unsettled records; at least 1");
        }
        this.id = id;
        this.maxUnacked = maxUnacked;
        grant(maxBatches, maxBytes);
    }

    public long id() {
        return id;
    }

    /** New totals since the subscription was opened. A total never goes down: a smaller one is ignored. */
    public void grant(long maxBatches, long maxBytes) {
        grantedBatches = Math.max(grantedBatches, maxBatches);
        grantedBytes = Math.max(grantedBytes, maxBytes);
    }

    /** A paused member keeps its credit and what it holds, and gets nothing more. */
    public void paused(boolean newPaused) {
        paused = newPaused;
    }

    /** Whether a batch of any size may go to this member now. */
    public boolean canTake() {
        return !paused && usedBatches < grantedBatches && usedBytes < grantedBytes && unacked < maxUnacked;
    }

    /** How many more records it may hold. */
    public int room() {
        return Math.max(0, maxUnacked - unacked);
    }

    /** Records it holds unsettled. */
    public int unacked() {
        return unacked;
    }

    /** One batch went out: it uses credit, and its records are unsettled until {@link #settled}. */
    public void delivered(int records, int bytes) {
        usedBatches++;
        usedBytes += bytes;
        unacked += records;
    }

    /**
     * Records left the member: acknowledged, refused, given back or expired. More than it holds leaves it with none: a
     * seek counts all it holds as left, also where leases of other partitions go on and are settled later.
     */
    public void settled(int records) {
        unacked = Math.max(0, unacked - records);
    }
}
