package io.spillway.broker.flow;

/**
 * Absolute publish credit of one publisher handle: totals granted since the handle was opened. What was taken and is not
 * yet done never exceeds the window; each batch that is done grants its own size again.
 *
 * <p>Bytes may be overdrawn by one batch: as long as one byte of credit is left a batch of any size may be taken, so that
 * a batch larger than the window never deadlocks. The overdraft is paid back before anything else is granted in effect.
 *
 * <p>Confined to the shard thread.
 */
public final class PublishCredit {
    private final int windowBatches;
    private final long windowBytes;

    private long takenBatches;
    private long takenBytes;
    private long doneBatches;
    private long doneBytes;

    public PublishCredit(int windowBatches, long windowBytes) {
        if (windowBatches < 1 || windowBytes < 1) {
            throw new IllegalArgumentException("credit window of " + windowBatches + " batches, " + windowBytes
                    + " bytes; both must be at least 1");
        }
        this.windowBatches = windowBatches;
        this.windowBytes = windowBytes;
    }

    /** Uses credit for a batch that arrived. False = CREDIT_VIOLATION: it was sent without credit, and nothing is used. */
    public boolean take(int bytes) {
        if (takenBatches >= maxBatches() || takenBytes >= maxBytes()) {
            return false;
        }
        takenBatches++;
        takenBytes += bytes;
        return true;
    }

    /** A batch that was taken with these bytes is answered; its credit is granted anew. */
    public void done(int bytes) {
        if (doneBatches == takenBatches || doneBytes + bytes > takenBytes) {
            throw new IllegalStateException("a batch of " + bytes + " bytes is done that was never taken: taken "
                    + takenBytes + " bytes in " + takenBatches + " batches, done " + doneBytes + " in " + doneBatches);
        }
        doneBatches++;
        doneBytes += bytes;
    }

    /** Batches granted in total; never goes down. */
    public long maxBatches() {
        return doneBatches + windowBatches;
    }

    /** Bytes granted in total; never goes down. */
    public long maxBytes() {
        return doneBytes + windowBytes;
    }
}
