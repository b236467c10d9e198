package io.spillway.broker.dispatch;

/**
 * One consumer's room: absolute credit in batches and bytes since it subscribed, and how many records it may hold. A batch
 * larger than the bytes left still goes while one byte is left, so that a large batch never waits for ever for a small
 * window. Confined to the shard thread.
 */
public final class Member {
    private final long id;
    private final int maxUnacked;
    private long maxBatches;
    private long maxBytes;
    private long usedBatches;
    private long usedBytes;
    private int unacked;
    private boolean paused;

    public Member(long id, int maxUnacked, long maxBatches, long maxBytes) {
        this.id = id;
        this.maxUnacked = maxUnacked;
        this.maxBatches = maxBatches;
        this.maxBytes = maxBytes;
    }

    public long id() {
        return id;
    }

    /** New totals since the subscription began; totals never go down. */
    public void grant(long totalBatches, long totalBytes) {
        maxBatches = Math.max(maxBatches, totalBatches);
        maxBytes = Math.max(maxBytes, totalBytes);
    }

    public void paused(boolean newPaused) {
        paused = newPaused;
    }

    public boolean canTake() {
        return !paused && usedBatches < maxBatches && usedBytes < maxBytes && unacked < maxUnacked;
    }

    /** Records it may still be given. */
    public int room() {
        return maxUnacked - unacked;
    }

    /** Records it holds. */
    public int unacked() {
        return unacked;
    }

    /** A batch went out. */
    public void delivered(int records, int bytes) {
        usedBatches++;
        usedBytes += bytes;
        unacked += records;
    }

    /** Records it no longer holds. */
    public void settled(int records) {
        unacked -= records;
    }
}
