package io.spillway.client;

import io.spillway.protocol.Limits;
import io.spillway.protocol.v1.Credit;

/**
 * How much the broker may send: totals of batches and bytes since the subscription was opened on this connection. Confined
 * to the network thread.
 */
final class SubscriptionCredit {
    /** A credit of bytes has one batch for each of this many. */
    private static final int BYTES_PER_BATCH = 4 << 10;

    private static final int MIN_BATCHES = 64;

    private final long windowBytes;
    private final long windowBatches;
    private final DeliveryQueue queue;

    private long receivedBatches;
    private long receivedBytes;
    private long grantedBatches;
    private long grantedBytes;

    SubscriptionCredit(long windowBytes, DeliveryQueue queue) {
        this.windowBytes = windowBytes;
        this.queue = queue;
        windowBatches = batches(windowBytes);
    }

    static int batches(long bytes) {
        return (int) Math.max(MIN_BATCHES, bytes / BYTES_PER_BATCH);
    }

    /** On a new connection the totals begin anew. */
    void begin() {
        receivedBatches = 0;
        receivedBytes = 0;
    }

    /** A batch came. */
    void onReceived(int bytes) {
        receivedBatches++;
        receivedBytes += bytes;
    }

    /**
     * Whether the broker is to hear of more: once half of the window is consumed, or when what is left may be too little for
     * the next batch and there is something to add.
     */
    boolean isDue() {
        int queuedBatches = queue.queuedBatches();
        long newBatches = receivedBatches + windowBatches - queuedBatches - grantedBatches;
        long newBytes = receivedBytes + windowBytes - queue.queuedBytes() - grantedBytes;
        boolean dry = queuedBatches == 0 && newBytes > 0 && grantedBytes - receivedBytes < Limits.MAX_BATCH_BYTES;
        return dry || newBatches >= windowBatches / 2 || newBytes >= windowBytes / 2;
    }

    /** All there is to grant now. */
    Credit grant() {
        grantedBatches = receivedBatches + Math.max(0, windowBatches - queue.queuedBatches());
        grantedBytes = receivedBytes + Math.max(0, windowBytes - queue.queuedBytes());
        return granted();
    }

    /** What was granted last. */
    Credit granted() {
        return Credit.newBuilder()
                .setMaxBatches(grantedBatches)
                .setMaxBytes(grantedBytes)
                .build();
    }
}
