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
    /** Bytes of the batches it holds; settled ones count down in proportion to the records. */
    private long inFlightBytes;
    /** Bytes it got lately; half of them are forgotten each second. */
    private long servedBytes;

    private int lastBytes;
    /** Its keys, or its turn, went to others for its health. */
    private boolean relieved;

    private final MemberHealth health = new MemberHealth();

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
        return !paused && usedBatches < grantedBatches && usedBytes < grantedBytes && unacked < mostUnacked();
    }

    /** Batches it may still be sent; less than none never. */
    public long creditBatches() {
        return Math.max(0, grantedBatches - usedBatches);
    }

    /** Bytes it may still be sent, before a last batch of any size. */
    public long creditBytes() {
        return Math.max(0, grantedBytes - usedBytes);
    }

    /** How many records it may hold. */
    public int maxUnacked() {
        return mostUnacked();
    }

    /** How many more records it may hold. */
    public int room() {
        return Math.max(0, mostUnacked() - unacked);
    }

    private int mostUnacked() {
        return health.outcomes().isProbing() ? 1 : maxUnacked;
    }

    /** Whether others do its part for now, because it was not well. */
    public boolean isRelieved() {
        return relieved;
    }

    public void relieved(boolean now) {
        relieved = now;
    }

    public MemberHealth health() {
        return health;
    }

    /**
     * What it has to do, one more batch included. What it got lately counts as well: members that are quick hold nothing
     * whenever one is to be chosen, and would not get shares as their weights are.
     */
    long load() {
        return inFlightBytes + servedBytes + lastBytes;
    }

    void forgetServed() {
        servedBytes /= 2;
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
        inFlightBytes += bytes;
        servedBytes += bytes;
        lastBytes = bytes;
    }

    /**
     * Records left the member: acknowledged, refused, given back or expired. More than it holds leaves it with none: a
     * seek counts all it holds as left, also where leases of other partitions go on and are settled later.
     */
    public void settled(int records) {
        int left = Math.max(0, unacked - records);
        inFlightBytes = left == 0 ? 0 : inFlightBytes - inFlightBytes / unacked * records;
        unacked = left;
    }
}
